import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The repository: the folder above this file that holds bench/package.json. */
const root = (() => {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'bench', 'package.json'))) return at;
    if (dirname(at) === at) throw new Error('bench/package.json is not above this file.');
  }
})();

/** The packages of bench/package.json lie in bench/node_modules, which is not where a compiled file would look. */
const fromBench = createRequire(join(root, 'bench', 'package.json'));

/** The folder of a package of the benchmarks or of nigh itself; undefined where it is not installed. */
function folderOf(name: string): string | undefined {
  if (name === 'nigh') return root;
  return [join(root, 'bench', 'node_modules', name), join(root, 'node_modules', name)].find((folder) =>
    existsSync(join(folder, 'package.json')),
  );
}

/** @throws Error where the package is not installed */
export function packageFolder(name: string): string {
  const folder = folderOf(name);
  if (folder === undefined) throw new Error(`${name} is not installed`);
  return folder;
}

/** Where this repository lies. */
export function repositoryFolder(): string {
  return root;
}

export function isInstalled(name: string): boolean {
  return folderOf(name) !== undefined;
}

/** @throws Error where the package is not installed */
export function installedVersion(name: string): string {
  return (JSON.parse(readFileSync(join(packageFolder(name), 'package.json'), 'utf8')) as { version: string }).version;
}

/** A CommonJS package of bench/package.json; its type is the caller's affair. */
export function requirePeer(name: string): unknown {
  return fromBench(name);
}

/** An ECMAScript module of bench/package.json. */
export async function importPeer(name: string): Promise<unknown> {
  return import(pathToFileURL(fromBench.resolve(name)).href);
}
