import { asCurl, ask } from './api.js';
import { announce, element, icon } from './dom.js';
import { formatCount, formatScore, formatShare, formatTime, subtitle } from './format.js';
import { tile } from './tile.js';

const firstK = 12;
const mostK = 96;

/** What closeness means in a space, by its embedding. */
const meanings = {
  als: 'near means: used by the same people',
  tfidf: 'near means: described by the same words',
};

/**
 * A list answer with its controls: the space that answers, exact or approximate, how it was found, and the request as curl.
 *
 * @param {{
 *   id: string,
 *   itemHref: (id: string) => string,
 *   isLiked: (id: string) => boolean,
 *   onLike: (item: object) => void,
 *   onOptions: (options: { space?: string, exact: boolean }) => void,
 * }} options
 */
export function answerPanel({ id, itemHref, isLiked, onLike, onOptions }) {
  const spaces = element('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Space' });
  const meaning = element('p', { class: 'faint meaning' });
  const modes = element('div', { class: 'modes', role: 'radiogroup', 'aria-label': 'Search' });
  const comparison = element('p', { class: 'faint comparison' });
  const notice = element('p', { class: 'notice', hidden: true });
  const list = element('ol', { class: 'rows' });
  const more = element('button', { type: 'button', class: 'quiet', onclick: () => showMore() }, 'Show more');
  const code = element('code', {});
  const copied = element(
    'button',
    { type: 'button', class: 'quiet copy', onclick: () => copy() },
    icon('copy'),
    'Copy',
  );
  const snippet = element(
    'details',
    { class: 'snippet' },
    element('summary', {}, 'This as a request'),
    element(
      'div',
      { class: 'snippet-body' },
      element('pre', { tabindex: '0', 'aria-label': 'curl command' }, code),
      copied,
    ),
  );
  const node = element('div', { class: 'panel', id }, spaces, meaning, modes, comparison, notice, list, more, snippet);

  let question;
  let k = firstK;
  let asked;
  /** The answers to the present question, by mode. */
  let answers = {};

  async function load() {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    const { space, exact } = question;
    const request = question.request({ k, space, exact });
    code.textContent = asCurl(request);
    node.setAttribute('aria-busy', 'true');
    try {
      const answer = await ask(request, signal);
      if (signal.aborted) return;
      answers[exact ? 'exact' : 'approximate'] = answer;
      notice.hidden = true;
      showAnswer(answer);
      announce(`${answer.results.length} ${question.what}`);
    } catch (error) {
      if (signal.aborted) return;
      notice.textContent = error.message;
      notice.hidden = false;
      list.replaceChildren();
      more.hidden = true;
    } finally {
      if (!signal.aborted) node.removeAttribute('aria-busy');
    }
  }

  function showAnswer(answer) {
    const best = Math.max(question.scale, ...answer.results.map(({ score }) => score));
    list.replaceChildren(...answer.results.map((result, at) => row(result, at, best)));
    more.hidden = answer.results.length < k || k >= mostK;
    showModes();
  }

  function row(result, at, best) {
    const bar = element('span', { class: 'bar', 'aria-hidden': 'true' }, element('span', { class: 'bar-fill' }));
    bar.firstChild.style.setProperty('--share', String(Math.max(0, result.score / best)));
    const about = subtitle(result.attributes);
    const entry = element(
      'li',
      { class: 'row' },
      element(
        'a',
        { class: 'row-link', href: itemHref(result.id) },
        tile(result),
        element(
          'span',
          { class: 'row-text' },
          element('span', { class: 'row-title' }, result.title),
          about !== '' && element('span', { class: 'faint row-about' }, about),
          bar,
        ),
        element(
          'span',
          { class: 'score' },
          element('span', { class: 'visually-hidden' }, 'score '),
          formatScore(result.score),
        ),
      ),
      likeButton(result, isLiked(result.id), onLike),
    );
    entry.style.setProperty('--at', String(Math.min(at, 12)));
    return entry;
  }

  function showSpaces() {
    const { space, choices } = question;
    spaces.hidden = choices.length < 2;
    replaceRadios(
      spaces,
      choices.map((choice) =>
        radio(
          `${id}-space`,
          choice.name === space,
          () => change({ space: choice.name, exact: question.exact }),
          choice.name,
        ),
      ),
    );
    const chosen = choices.find((choice) => choice.name === space);
    meaning.textContent =
      chosen === undefined
        ? ''
        : [`${chosen.embedding}, ${chosen.dim} dimensions`, meanings[chosen.embedding]].filter(Boolean).join('; ');
  }

  function showModes() {
    const mode = (name, exact) => {
      const stats = answers[name]?.stats;
      const figures =
        stats === undefined
          ? exact
            ? 'compare with every item'
            : 'search the graph'
          : `${formatCount(stats.visited)} visited (${formatShare(stats.visited, question.rows)}), ${formatTime(stats.tookMs)}`;
      return radio(
        `${id}-mode`,
        question.exact === exact,
        () => change({ space: question.space, exact }),
        element('span', { class: 'mode-name' }, exact ? 'Exact' : 'Approximate'),
        element('span', { class: 'mode-figures' }, figures),
      );
    };
    replaceRadios(modes, [mode('approximate', false), mode('exact', true)]);
    comparison.textContent = compared(answers);
  }

  function change(options) {
    const sameSpace = options.space === question.space;
    question = { ...question, ...options };
    if (!sameSpace) answers = {};
    showSpaces();
    showModes();
    onOptions(options);
    load();
  }

  function showMore() {
    k = Math.min(mostK, k * 2);
    answers = {};
    load();
  }

  async function copy() {
    await navigator.clipboard.writeText(code.textContent);
    copied.lastChild.textContent = 'Copied';
    announce('Copied');
    setTimeout(() => {
      copied.lastChild.textContent = 'Copy';
    }, 1500);
  }

  return {
    node,
    /**
     * @param {{
     *   key: string, what: string, choices: object[], space?: string, exact: boolean, rows: number, scale: number,
     *   request: (options: object) => { path: string, body?: object },
     * }} next `key` tells questions apart; `scale` is the score of a full bar (the best one where that is larger)
     */
    show(next) {
      const same = question !== undefined && ['key', 'space', 'exact'].every((name) => question[name] === next[name]);
      if (same) return;
      if (question === undefined || question.key !== next.key) k = firstK;
      if (question === undefined || question.key !== next.key || question.space !== next.space) answers = {};
      question = next;
      showSpaces();
      showModes();
      load();
    },
    /** Marks what is liked now. */
    refreshLikes() {
      for (const button of list.querySelectorAll('.like')) setLiked(button, isLiked(button.dataset.item));
    },
    stop() {
      asked?.abort();
      question = undefined;
    },
  };
}

/** How much of the exact answer the approximate one found, once both are there. */
function compared({ approximate, exact }) {
  if (approximate === undefined || exact === undefined) return '';
  const found = new Set(approximate.results.map(({ id }) => id));
  const same = exact.results.filter((result) => found.has(result.id)).length;
  const effort = exact.stats.visited / Math.max(1, approximate.stats.visited);
  const share = effort >= 2 ? ` and visited ${formatCount(Math.round(effort))} times fewer items` : '';
  return `The approximate search found ${same} of the exact ${exact.results.length}${share}.`;
}

function radio(name, checked, onChoose, ...label) {
  return element(
    'label',
    { class: 'segment' },
    element('input', { type: 'radio', name, class: 'visually-hidden', checked, onchange: onChoose }),
    element('span', { class: 'segment-label' }, ...label),
  );
}

/** New radios in a group; who was on the group with the keyboard stays there. */
function replaceRadios(group, radios) {
  const focused = group.contains(document.activeElement);
  group.replaceChildren(...radios);
  if (focused) group.querySelector('input:checked')?.focus();
}

/** A toggle that adds an item to what somebody likes. */
export function likeButton(item, liked, onLike, label) {
  const button = element(
    'button',
    {
      type: 'button',
      class: label === undefined ? 'like' : 'like like-wide',
      'data-item': item.id,
      onclick: () => onLike(item),
    },
    icon('heart'),
    label === undefined
      ? element('span', { class: 'visually-hidden' }, `Like ${item.title}`)
      : element('span', {}, label),
  );
  setLiked(button, liked);
  return button;
}

export function setLiked(button, liked) {
  button.setAttribute('aria-pressed', String(liked));
}
