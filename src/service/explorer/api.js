/** Asks the service. Every failure becomes a ProblemError with the service's own words. */

export class ProblemError extends Error {
  constructor(problem) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
  }
}

const tokenKey = 'nigh-token';

/** Keeps the token for this tab. */
export function rememberToken(token) {
  sessionStorage.setItem(tokenKey, token);
}

/**
 * @param {{ path: string, body?: object }} request path relative to the page
 * @param {AbortSignal} [signal]
 */
export async function ask({ path, body }, signal) {
  const token = sessionStorage.getItem(tokenKey);
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      // The figures of an answer are of this search, not of one that was asked before.
      cache: 'no-store',
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ProblemError({ code: 'UNREACHABLE', status: 0, detail: 'The service does not answer. Is it running?' });
  }
  if (!response.ok) throw new ProblemError(await problemOf(response));
  return response.json();
}

async function problemOf(response) {
  const fallback = { code: 'UNREACHABLE', status: response.status, detail: `The service answered ${response.status}.` };
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return fallback;
  return response.json().catch(() => fallback);
}

const collectionPath = (collection) => `v1/collections/${encodeURIComponent(collection)}`;

const spacePath = (collection, space) => `${collectionPath(collection)}/spaces/${encodeURIComponent(space)}`;

function withParameters(path, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined));
  return query.size === 0 ? path : `${path}?${query}`;
}

/** The requests that this page makes. */
export const requests = {
  collections: () => ({ path: 'v1/collections' }),
  find: (collection, query, limit) => ({
    path: withParameters(`${collectionPath(collection)}/items`, { query, limit }),
  }),
  popular: (collection, limit) => ({ path: withParameters(`${collectionPath(collection)}/items`, { limit }) }),
  item: (collection, item) => ({ path: `${collectionPath(collection)}/items/${encodeURIComponent(item)}` }),
  similar: (collection, item, options) => ({
    path: withParameters(`${collectionPath(collection)}/items/${encodeURIComponent(item)}/similar`, {
      k: options.k,
      space: options.space,
      weights: options.weights === undefined ? undefined : weightsText(options.weights),
      where: options.where,
      exact: options.exact ? 'true' : undefined,
    }),
    said: { collection, item, options },
  }),
  recommendFor: (collection, liked, options) => ({
    path: `${collectionPath(collection)}/query`,
    body: {
      history: liked.map((item) => ({ item })),
      k: options.k,
      space: options.space,
      weights: options.weights,
      where: options.where,
      exact: options.exact || undefined,
    },
    said: { collection, liked, options },
  }),
  map: (collection, space, item, links) => ({
    path: withParameters(`${spacePath(collection, space)}/map`, { item, links: links ? 'true' : undefined }),
  }),
  efforts: (collection, space) => ({ path: `${spacePath(collection, space)}/efforts` }),
};

/**
 * Shows the collection's picture of an item. A picture cannot be asked for with a token, so with one its bytes are asked for as all else is.
 * @param {HTMLImageElement} image
 */
export function showPicture(image, collection, item) {
  const path = `${collectionPath(collection)}/items/${encodeURIComponent(item)}/image`;
  const token = sessionStorage.getItem(tokenKey);
  if (token === null) image.src = path;
  else void showFetched(image, path, token);
}

async function showFetched(image, path, token) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined);
  if (response?.ok !== true) return;
  const reader = new FileReader();
  reader.onload = () => {
    image.src = reader.result;
  };
  reader.readAsDataURL(await response.blob());
}

/** `cf=0.7,text=0.3` */
export function weightsText(weights) {
  return Object.entries(weights)
    .map(([space, weight]) => `${space}=${weight}`)
    .join(',');
}
