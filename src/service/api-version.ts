import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The package's version: the OpenAPI document's, and part of every ETag. */
export const apiVersion = version;
