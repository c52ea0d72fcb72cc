import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root: the repository, or `node_modules/nigh` where nigh is a dependency. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {string[]} parts */
export const inRoot = (...parts) => join(root, ...parts);
