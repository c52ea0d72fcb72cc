import { answerPanel } from './answer-panel.js';
import { requests } from './api.js';
import { element, icon } from './dom.js';
import { tile } from './tile.js';

/**
 * The right column: what somebody likes, and what that recommends.
 *
 * @param {{ container: HTMLElement, shortcut: HTMLAnchorElement, itemHref: (id: string) => string, isLiked: (id: string) => boolean,
 *   onLike: (item: object) => void, onClear: () => void, onOptions: (options: object) => void }} options
 */
export function picksView({ container, shortcut, itemHref, isLiked, onLike, onClear, onOptions }) {
  const panel = answerPanel({ id: 'recommended', itemHref, isLiked, onLike, onOptions });
  const clear = element('button', { type: 'button', class: 'quiet', onclick: onClear }, 'Clear');
  const empty = element(
    'div',
    { class: 'empty' },
    icon('heart'),
    element('p', {}, 'Pick a few things you like with the heart, and get recommendations that fit them all.'),
  );
  const chips = element('ul', { class: 'chips', 'aria-label': 'What you like' });
  const recommended = element(
    'section',
    { 'aria-labelledby': 'recommended-title' },
    element('h3', { id: 'recommended-title' }, 'Recommended for you'),
    panel.node,
  );
  container.replaceChildren(
    element('div', { class: 'section-head' }, element('h2', { id: 'picks-title' }, 'Your picks'), clear),
    empty,
    chips,
    recommended,
  );
  shortcut.addEventListener('click', (event) => {
    // The address holds the page's state; this link must not replace it.
    event.preventDefault();
    container.scrollIntoView({ block: 'start' });
    container.focus({ preventScroll: true });
  });

  // The shortcut is for when the column is out of sight.
  new IntersectionObserver(([entry]) => shortcut.classList.toggle('away', entry.isIntersecting)).observe(container);

  return {
    /** @param {{ info: object, liked: object[], options: import('./state.js').Options }} view */
    show({ info, liked, options: { space, weights, where, exact } }) {
      const some = liked.length > 0;
      empty.hidden = some;
      clear.hidden = !some;
      chips.hidden = !some;
      recommended.hidden = !some;
      shortcut.hidden = !some;
      shortcut.textContent = `${liked.length} ${liked.length === 1 ? 'pick' : 'picks'}: see recommendations`;
      chips.replaceChildren(...liked.map((item) => chip(item, onLike)));
      if (!some) return panel.stop();
      const choices = info.spaces;
      const chosen = choices.find(({ name }) => name === space) ?? choices[0];
      panel.show({
        key: `${info.name}\n${liked.map(({ id }) => id).join('\n')}`,
        what: 'recommendations',
        choices,
        space: chosen?.name,
        weights,
        where,
        exact,
        rows: (chosen?.recommend ?? chosen?.similar)?.count ?? info.items,
        // A model's own scores have no fixed scale; cosines have.
        scale: chosen?.recommend === undefined ? 1 : Number.MIN_VALUE,
        request: (options) =>
          requests.recommendFor(
            info.name,
            liked.map(({ id }) => id),
            options,
          ),
      });
    },
    refreshLikes() {
      panel.refreshLikes();
    },
  };
}

function chip(item, onLike) {
  return element(
    'li',
    { class: 'chip' },
    tile(item, 'tiny'),
    element('span', { class: 'chip-title' }, item.title),
    element(
      'button',
      { type: 'button', class: 'chip-remove', onclick: () => onLike(item) },
      icon('cross'),
      element('span', { class: 'visually-hidden' }, `Remove ${item.title}`),
    ),
  );
}
