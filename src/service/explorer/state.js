/**
 * What the page shows, as the address says it: `#c=movies&item=1&like=50&like=2`. A copied address shows the same page, and the
 * browser's back button works.
 */

/**
 * How a list is asked for: by one space, or by several with their weights.
 * @typedef {{ space?: string, weights?: Record<string, number>, where?: string, exact: boolean }} Options
 * @typedef {{ collection?: string, item?: string, likes: string[], similar: Options, recommend: Options }} State
 */

/** @returns {State} */
export function readState(hash = location.hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  return {
    collection: parameters.get('c') ?? undefined,
    item: parameters.get('item') ?? undefined,
    likes: [...new Set(parameters.getAll('like'))],
    similar: readOptions(parameters, ''),
    recommend: readOptions(parameters, 'for-'),
  };
}

/** @param {State} state */
export function hashOf(state) {
  const parameters = new URLSearchParams();
  if (state.collection !== undefined) parameters.set('c', state.collection);
  if (state.item !== undefined) parameters.set('item', state.item);
  writeOptions(parameters, '', state.similar);
  writeOptions(parameters, 'for-', state.recommend);
  for (const like of state.likes) parameters.append('like', like);
  return `#${parameters}`;
}

function readOptions(parameters, prefix) {
  const weights = [...(parameters.get(`${prefix}weights`) ?? '').matchAll(/([^=,]+)=([\d.]+)/g)];
  return {
    space: parameters.get(`${prefix}space`) ?? undefined,
    weights:
      weights.length === 0 ? undefined : Object.fromEntries(weights.map(([, name, weight]) => [name, Number(weight)])),
    where: parameters.get(`${prefix}where`) ?? undefined,
    exact: parameters.get(`${prefix}exact`) === '1',
  };
}

function writeOptions(parameters, prefix, { space, weights, where, exact }) {
  if (space !== undefined) parameters.set(`${prefix}space`, space);
  if (weights !== undefined) {
    const text = Object.entries(weights).map(([name, weight]) => `${name}=${weight}`);
    parameters.set(`${prefix}weights`, text.join(','));
  }
  if (where !== undefined) parameters.set(`${prefix}where`, where);
  if (exact) parameters.set(`${prefix}exact`, '1');
}
