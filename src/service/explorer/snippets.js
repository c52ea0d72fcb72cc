/** A request of the page in other words: for a shell, for a program, for the command line. */
import { weightsText } from './api.js';

/** @param {{ path: string, body?: object, said: object }} request */
export const snippets = {
  curl: asCurl,
  TypeScript: asTypeScript,
  CLI: asCommand,
};

function asCurl({ path, body }) {
  const url = new URL(path, document.baseURI).href;
  if (body === undefined) return `curl ${shellQuoted(url)}`;
  return `curl ${shellQuoted(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${shellQuoted(JSON.stringify(body))}`;
}

function asTypeScript({ said: { collection, item, liked, options } }) {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && value !== false),
  );
  const question =
    item === undefined
      ? `recommendFor(${JSON.stringify(liked.map((id) => ({ item: id })))}, `
      : `similarItems(${JSON.stringify(item)}, `;
  return [
    "import { NighClient } from 'nigh/client';",
    '',
    `const nigh = new NighClient(${JSON.stringify(new URL('.', document.baseURI).href)});`,
    `const { results } = await nigh.collection(${JSON.stringify(collection)}).${question}${JSON.stringify(given)});`,
  ].join('\n');
}

function asCommand({ said: { collection, item, liked, options } }) {
  const { k, space, weights, where, exact } = options;
  const asked =
    item === undefined
      ? ['recommend', collection, ...liked.flatMap((id) => ['--liked', id])]
      : ['similar', collection, item];
  return [
    'nigh',
    ...asked,
    '-k',
    String(k),
    ...(space === undefined ? [] : ['--space', space]),
    ...(weights === undefined ? [] : ['--weights', weightsText(weights)]),
    ...(where === undefined ? [] : ['--where', where]),
    ...(exact ? ['--exact'] : []),
  ]
    .map((word) => (/^[\w@./:=,+-]+$/.test(word) ? word : shellQuoted(word)))
    .join(' ');
}

function shellQuoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
