import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile = JSON.parse(readFileSync(join(resolve(import.meta.dirname, '../..'), 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};

/** Whether some folder above a package holds the dependency, as Node would look for it. */
function isLocked(dependent: string, name: string): boolean {
  for (let folder = dependent; ; ) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lockfile.packages) return true;
    if (folder === '') return false;
    const above = folder.lastIndexOf('/node_modules/');
    folder = above < 0 ? '' : folder.slice(0, above);
  }
}

test('the lockfile lists every dependency, those of other platforms too: npm ci refuses it otherwise', () => {
  const missing = Object.entries(lockfile.packages).flatMap(([dependent, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(dependent, name))
      .map((name) => `${dependent} → ${name}`),
  );
  expect(missing).toEqual([]);
});

test('the lockfile names no registry', () => {
  const named = Object.entries(lockfile.packages).filter(([, { resolved }]) => resolved !== undefined);
  expect(named).toEqual([]);
});
