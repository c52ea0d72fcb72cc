/**
 * What the page shows, as the address says it: `#c=movies&item=1&like=50&like=2`. A copied address shows the same page, and the
 * browser's back button works.
 */

/** @typedef {{ collection?: string, item?: string, likes: string[], space?: string, exact: boolean, recommendSpace?: string, recommendExact: boolean }} State */

/** @returns {State} */
export function readState(hash = location.hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  return {
    collection: parameters.get('c') ?? undefined,
    item: parameters.get('item') ?? undefined,
    likes: [...new Set(parameters.getAll('like'))],
    space: parameters.get('space') ?? undefined,
    exact: parameters.get('exact') === '1',
    recommendSpace: parameters.get('for-space') ?? undefined,
    recommendExact: parameters.get('for-exact') === '1',
  };
}

/** @param {State} state */
export function hashOf(state) {
  const parameters = new URLSearchParams();
  if (state.collection !== undefined) parameters.set('c', state.collection);
  if (state.item !== undefined) parameters.set('item', state.item);
  if (state.space !== undefined) parameters.set('space', state.space);
  if (state.exact) parameters.set('exact', '1');
  if (state.recommendSpace !== undefined) parameters.set('for-space', state.recommendSpace);
  if (state.recommendExact) parameters.set('for-exact', '1');
  for (const like of state.likes) parameters.append('like', like);
  return `#${parameters}`;
}
