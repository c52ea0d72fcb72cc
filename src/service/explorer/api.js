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
  similar: (collection, item, { k, space, exact }) => ({
    path: withParameters(`${collectionPath(collection)}/items/${encodeURIComponent(item)}/similar`, {
      k,
      space,
      exact: exact ? 'true' : undefined,
    }),
  }),
  recommendFor: (collection, liked, { k, space, exact }) => ({
    path: `${collectionPath(collection)}/query`,
    body: { history: liked.map((item) => ({ item })), k, space, exact: exact || undefined },
  }),
};

/** The same request for a shell. */
export function asCurl({ path, body }) {
  const url = new URL(path, document.baseURI).href;
  if (body === undefined) return `curl ${shellQuoted(url)}`;
  return `curl ${shellQuoted(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${shellQuoted(JSON.stringify(body))}`;
}

function shellQuoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
