import { ask, ProblemError } from './api.js';
import { blendControls, filterInput } from './blend-controls.js';
import { announce, element, icon } from './dom.js';
import { formatCount, formatScore, formatShare, formatTime, subtitle } from './format.js';
import { radio, replaceRadios } from './radios.js';
import { snippets } from './snippets.js';
import { tile } from './tile.js';

const firstK = 12;
const mostK = 96;
const comparedAfterMs = 250;

/** What closeness means in a space, by its embedding. */
const meanings = {
  als: 'near means: used by the same people',
  tfidf: 'near means: described by the same words',
};

/**
 * A list answer with its controls: the space that answers or the blend of several, a filter, exact or approximate, how it was found, and the
 * request in other words.
 *
 * @param {{
 *   id: string,
 *   itemHref: (id: string) => string,
 *   isLiked: (id: string) => boolean,
 *   onLike: (item: object) => void,
 *   onOptions: (options: import('./state.js').Options) => void,
 * }} options
 */
export function answerPanel({ id, itemHref, isLiked, onLike, onOptions }) {
  const spaces = element('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Space' });
  const blend = blendControls({ id, onWeights: (weights) => changeSoon({ weights }) });
  const filter = filterInput(id, (where) => changeSoon({ where }));
  const meaning = element('p', { class: 'faint meaning' });
  const modes = element('div', { class: 'modes', role: 'radiogroup', 'aria-label': 'Search' });
  const comparison = element('p', { class: 'faint comparison' });
  const notice = element('p', { class: 'notice', hidden: true });
  const list = element('ol', { class: 'rows' });
  const more = element('button', { type: 'button', class: 'quiet', onclick: () => showMore() }, 'Show more');
  const code = element('code', {});
  const languages = element('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Language' });
  let language = 'curl';
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
      languages,
      element('pre', { tabindex: '0', 'aria-label': 'Request' }, code),
      copied,
    ),
  );
  const node = element(
    'div',
    { class: 'panel', id },
    spaces,
    blend.node,
    meaning,
    filter.node,
    modes,
    comparison,
    notice,
    list,
    more,
    snippet,
  );

  let question;
  let k = firstK;
  let asked;
  /** The answers to the present question, by mode. */
  let answers = {};
  let request;
  let soon;

  async function load() {
    clearTimeout(soon);
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    const { space, weights, where, exact } = question;
    request = question.request({ k, space: weights === undefined ? space : undefined, weights, where, exact });
    showSnippet();
    node.setAttribute('aria-busy', 'true');
    try {
      const answer = await ask(request, signal);
      if (signal.aborted) return;
      answers[exact ? 'exact' : 'approximate'] = answer;
      notice.hidden = true;
      showAnswer(answer);
      announce(`${answer.results.length} ${question.what}`);
      compareSoon(signal);
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

  /** Asks the same in the other mode, once the answer has stood for a moment, so that the two are seen beside each other. */
  function compareSoon(signal) {
    const { space, weights, where, exact } = question;
    const other = exact ? 'approximate' : 'exact';
    if (answers[other] !== undefined) return;
    const asked = question.request({
      k,
      space: weights === undefined ? space : undefined,
      weights,
      where,
      exact: !exact,
    });
    setTimeout(async () => {
      if (signal.aborted) return;
      try {
        const answer = await ask(asked, signal);
        if (signal.aborted) return;
        answers[other] = answer;
        showModes();
      } catch (error) {
        // Nothing is compared then; the answer that was asked for stands.
        if (!signal.aborted && !(error instanceof ProblemError)) throw error;
      }
    }, comparedAfterMs);
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

  function showSnippet() {
    replaceRadios(
      languages,
      Object.keys(snippets).map((name) =>
        radio(
          `${id}-language`,
          name === language,
          () => {
            language = name;
            showSnippet();
          },
          name,
        ),
      ),
    );
    code.textContent = snippets[language](request);
  }

  function showSpaces() {
    const { space, weights, choices } = question;
    spaces.hidden = choices.length < 2;
    const equal = Object.fromEntries(choices.map(({ name }) => [name, 0.5]));
    replaceRadios(spaces, [
      ...choices.map((choice) =>
        radio(
          `${id}-space`,
          weights === undefined && choice.name === space,
          () => change({ space: choice.name, weights: undefined }),
          choice.name,
        ),
      ),
      radio(`${id}-space`, weights !== undefined, () => change({ weights: equal }), 'Blend'),
    ]);
    blend.show(choices, weights);
    filter.show(question.where);
    if (weights !== undefined) {
      meaning.textContent = 'near means: near in each space, by its weight';
      return;
    }
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
          : [
              recallText(answers, name),
              `${formatCount(stats.visited)} visited (${formatShare(stats.visited, question.rows)})`,
              formatTime(stats.tookMs),
            ]
              .filter(Boolean)
              .join(', ');
      return radio(
        `${id}-mode`,
        question.exact === exact,
        () => change({ exact }),
        element('span', { class: 'mode-name' }, exact ? 'Exact' : 'Approximate'),
        element('span', { class: 'mode-figures' }, figures),
      );
    };
    replaceRadios(modes, [mode('approximate', false), mode('exact', true)]);
    comparison.textContent = compared(answers);
  }

  function change(options) {
    question = { ...question, ...options };
    // Another mode is the same question, so that the two can be compared.
    if (!('exact' in options)) answers = {};
    showSpaces();
    showModes();
    const { space, weights, where, exact } = question;
    onOptions({ space, weights, where, exact });
    load();
  }

  /** For what changes while a slider moves or somebody types: not more often than people see. */
  function changeSoon(options) {
    clearTimeout(soon);
    soon = setTimeout(() => change(options), 120);
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
     *   key: string, what: string, choices: object[], space?: string, weights?: object, where?: string, exact: boolean, rows: number,
     *   scale: number,
     *   request: (options: object) => { path: string, body?: object },
     * }} next `key` tells questions apart; `scale` is the score of a full bar (the best one where that is larger)
     */
    show(next) {
      const same = (names) =>
        question !== undefined && names.every((name) => JSON.stringify(question[name]) === JSON.stringify(next[name]));
      const asked = ['key', 'space', 'weights', 'where'];
      if (same([...asked, 'exact'])) return;
      if (!same(['key'])) k = firstK;
      if (!same(asked)) answers = {};
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
      clearTimeout(soon);
      asked?.abort();
      question = undefined;
    },
  };
}

/** The share of the exact answer that this one has, once both are there. */
function recallText({ approximate, exact }, name) {
  if (approximate === undefined || exact === undefined) return '';
  if (name === 'exact' || exact.results.length === 0) return 'recall 1.00';
  return `recall ${(inCommon(approximate, exact) / exact.results.length).toFixed(2)}`;
}

/** Places of the exact answer that hold something as good: another item that scores as much has missed nothing. */
function inCommon(approximate, exact) {
  const least = exact.results.at(-1)?.score ?? 0;
  const enough = least - 1e-5 * Math.max(1, Math.abs(least));
  return Math.min(exact.results.length, approximate.results.filter(({ score }) => score >= enough).length);
}

/** How much of the exact answer the approximate one found, once both are there. */
function compared({ approximate, exact }) {
  if (approximate === undefined || exact === undefined) return '';
  const same = inCommon(approximate, exact);
  const effort = exact.stats.visited / Math.max(1, approximate.stats.visited);
  const share = effort >= 2 ? ` and visited ${formatCount(Math.round(effort))} times fewer items` : '';
  return `The approximate search found ${same} of the exact ${exact.results.length}${share}.`;
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
