import { answerPanel, likeButton, setLiked } from './answer-panel.js';
import { requests } from './api.js';
import { element, icon } from './dom.js';
import { formatCompact, formatCount, formatName, formatValue } from './format.js';
import { spaceMap } from './space-map.js';
import { tile } from './tile.js';

/**
 * The left column: one item with what is similar to it, or things to start with.
 *
 * @param {{ container: HTMLElement, itemHref: (id: string) => string, isLiked: (id: string) => boolean,
 *   onLike: (item: object) => void, onOptions: (options: object) => void }} options
 */
export function itemView({ container, itemHref, isLiked, onLike, onOptions }) {
  const panel = answerPanel({ id: 'similar', itemHref, isLiked, onLike, onOptions });
  const map = spaceMap({ itemHref });
  const card = element('article', { class: 'card', 'aria-labelledby': 'item-title' });
  const similar = element(
    'section',
    { 'aria-labelledby': 'similar-title' },
    element('h2', { id: 'similar-title' }, 'Similar items'),
    panel.node,
    map.node,
  );
  let shownKey;

  return {
    /** @param {{ info: object, item: object, options: import('./state.js').Options }} view */
    showItem({ info, item, options: { space, weights, where, exact } }) {
      const key = `${info.name}\n${item.id}`;
      const isNew = key !== shownKey;
      if (isNew) {
        shownKey = key;
        card.replaceChildren(...cardOf(item, isLiked, onLike));
        container.replaceChildren(card, similar);
      }
      const choices = info.spaces.filter(({ name }) => item.spaces.includes(name));
      const chosen = choices.find(({ name }) => name === space) ?? choices[0];
      panel.show({
        key,
        what: `items similar to ${item.title}`,
        choices,
        space: chosen?.name,
        weights,
        where,
        exact,
        rows: chosen?.similar.count ?? info.items,
        scale: 1,
        request: (options) => requests.similar(info.name, item.id, options),
      });
      map.show({ collection: info.name, space: weights === undefined ? chosen?.name : undefined, item: item.id });
      return isNew;
    },
    /** @param {{ info: object, items: object[], onSurprise: () => void }} view */
    showStart({ info, items, onSurprise }) {
      panel.stop();
      shownKey = undefined;
      const tiles = items.map((item) =>
        element(
          'li',
          {},
          element(
            'a',
            { class: 'start', href: itemHref(item.id) },
            tile(item, 'medium'),
            element('span', { class: 'start-title' }, item.title),
            item.interactions > 0 &&
              element('span', { class: 'faint start-about' }, `${formatCompact(item.interactions)} users`),
          ),
        ),
      );
      container.replaceChildren(
        element(
          'section',
          { 'aria-labelledby': 'start-title' },
          element(
            'div',
            { class: 'section-head' },
            element(
              'h2',
              { id: 'start-title' },
              info.interactions > 0 ? 'Start with something known' : 'Start with one of these',
            ),
            element('button', { type: 'button', class: 'quiet', onclick: onSurprise }, icon('dice'), 'Surprise me'),
          ),
          element('ul', { class: 'starts' }, ...tiles),
        ),
      );
    },
    refreshLikes() {
      panel.refreshLikes();
      const button = card.querySelector('.like');
      if (button !== null) setLiked(button, isLiked(button.dataset.item));
    },
    /** For the keyboard and screen readers, after another item was chosen. */
    focusHeading() {
      card.querySelector('h2')?.focus({ preventScroll: true });
    },
  };
}

function cardOf(item, isLiked, onLike) {
  const facts = Object.entries(item.attributes).filter(
    ([name, value]) => name !== 'emoji' && formatValue(value) !== '',
  );
  return [
    tile(item, 'large'),
    element(
      'div',
      { class: 'card-body' },
      element('h2', { id: 'item-title', tabindex: '-1' }, item.title),
      element(
        'p',
        { class: 'faint' },
        item.id !== item.title && element('code', { class: 'id' }, item.id),
        item.interactions > 0 &&
          element('span', {}, `${formatCount(item.interactions)} ${item.interactions === 1 ? 'user' : 'users'}`),
      ),
      facts.length > 0 && element('dl', { class: 'facts' }, ...facts.map(factOf)),
      likeButton(item, isLiked(item.id), onLike, 'I like this'),
    ),
  ];
}

function factOf([name, value]) {
  const shown = Array.isArray(value)
    ? element('dd', { class: 'tags' }, ...value.slice(0, 12).map((tag) => element('span', { class: 'tag' }, tag)))
    : element('dd', {}, String(value));
  const wide = Array.isArray(value) || String(value).length > 60;
  return element('div', { class: wide ? 'wide' : undefined }, element('dt', {}, formatName(name)), shown);
}
