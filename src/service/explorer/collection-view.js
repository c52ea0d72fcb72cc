import { element } from './dom.js';
import { effortChart } from './effort-chart.js';
import { formatBytes, formatCompact, formatCount } from './format.js';

/** The choice of a collection. */
export function showCollections(container, collections, current, hrefOf) {
  container.replaceChildren(
    ...collections.map((info) =>
      element(
        'a',
        { class: 'collection', href: hrefOf(info.name), 'aria-current': info.name === current ? 'page' : undefined },
        info.title || info.name,
        element('span', { class: 'faint' }, ` ${formatCompact(info.items)}`),
      ),
    ),
  );
}

/** What the collection is made of and how well it was measured. */
export function showAbout(container, info) {
  const fact = (name, ...value) => element('div', {}, element('dt', {}, name), element('dd', {}, ...value));
  const source = /^https?:\/\//.test(info.dataset.source)
    ? element('a', { href: info.dataset.source, rel: 'noreferrer' }, info.dataset.name)
    : info.dataset.name;
  container.dataset.collection = info.name;
  container.replaceChildren(
    element('h2', {}, 'About this collection'),
    element(
      'dl',
      { class: 'facts about-facts' },
      fact('data', source, ` (${info.dataset.licence})`),
      fact('items', formatCount(info.items)),
      info.users > 0 && fact('users', formatCount(info.users)),
      info.interactions > 0 && fact('interactions', formatCount(info.interactions)),
      fact('generation', `${info.generation}, ${formatBytes(info.bytesOnDisk)}`),
    ),
    element(
      'div',
      { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Spaces' },
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...['Space', 'Embedding', 'Dimensions', 'Items', 'Index', 'Recall@10'].map((name) =>
              element('th', { scope: 'col' }, name),
            ),
          ),
        ),
        element('tbody', {}, ...info.spaces.flatMap(rowsOf)),
      ),
    ),
    effortChart(info),
  );
}

function rowsOf(space) {
  const row = (use, index) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, `${space.name}, ${use}`),
      element('td', {}, space.embedding),
      element('td', {}, String(index.dim)),
      element('td', {}, formatCount(index.count)),
      element('td', {}, `${index.kind}, ${index.metric}`),
      element('td', {}, index.recallAt10.toFixed(3)),
    );
  return [row('similar', space.similar), ...(space.recommend === undefined ? [] : [row('recommend', space.recommend)])];
}
