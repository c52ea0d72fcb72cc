/** CONTRIBUTING.md describes the tree and the scripts that are there. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inRoot } from '../../src/setup/paths.mjs';

const text = readFileSync(inRoot('CONTRIBUTING.md'), 'utf8');
const map = /## Map of the house\s+```\n([\s\S]*?)```/.exec(text)?.[1] ?? '';

const folders = (path: string) =>
  readdirSync(inRoot(path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

test('the map names every layer of src, and only what is there', () => {
  const layers = [...map.matchAll(/^ {2}([\w-]+)\/ /gm)].map(([, name = '']) => name);
  expect([...layers].sort()).toEqual(folders('src').sort());
});

test('the map names every folder at the top that holds sources, and only what is there', () => {
  const top = [...map.matchAll(/^([\w-]+)\/(?: |$)/gm)].map(([, name = '']) => name);
  expect([...top].sort()).toEqual(['bench', 'docs', 'indexes', 'native', 'src', 'test']);
  const native = /^native\/ +(.*(?:\n {10,}.*)*)/m.exec(map)?.[1] ?? '';
  expect(folders('native').filter((name) => !native.includes(name))).toEqual([]);
});

test('every file and folder that is named in backticks exists', () => {
  const named = [...text.matchAll(/`((?:src|test|native|docs|bench|indexes)\/[\w./-]*)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !exists(path))).toEqual([]);
});

test('every npm script but the hooks is in the table, and only those that are there', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  const told = new Set(['start', 'test'].filter((name) => text.includes(`\`npm ${name}`)));
  for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) told.add(name);
  const hooks = ['install', 'prepack'];
  expect([...told].sort()).toEqual(
    Object.keys(scripts)
      .filter((name) => !hooks.includes(name))
      .sort(),
  );
});

function exists(path: string): boolean {
  try {
    readdirSync(inRoot(path));
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
  }
}
