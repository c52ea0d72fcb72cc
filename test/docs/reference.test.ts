/** The pages of docs/reference say what the code says; `npm run docs` writes them anew. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { repository, requireBuild } from '../cli/nigh-command.js';
import { cliReference } from './cli-reference.js';
import { errorReference } from './error-reference.js';
import { httpReference } from './http-reference.js';
import type { GeneratedPage } from './pages.js';
import { recipeReference } from './recipe-reference.js';

const folder = join(repository, 'docs/reference');

let pages: GeneratedPage[] = [];
beforeAll(async () => {
  requireBuild();
  pages = [recipeReference(), cliReference(), await httpReference(), errorReference()];
  if (process.env.NIGH_WRITE_DOCS !== '1') return;
  mkdirSync(folder, { recursive: true });
  for (const { file, text } of pages) writeFileSync(join(folder, file), text);
});

test('every generated page is what would be generated now', () => {
  for (const { file, text } of pages) {
    expect(readFileSync(join(folder, file), 'utf8'), `${file}: run npm run docs`).toBe(text);
  }
});

test('every page of docs is found from its index', () => {
  const index = readFileSync(join(repository, 'docs/README.md'), 'utf8');
  const listed = (path: string) => index.includes(`](${path})`) || index.includes(`](${path}#`);
  const names = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
  const missing = [...names, ...pages.map(({ file }) => `reference/${file}`)].filter((path) => !listed(path));
  expect(missing).toEqual([]);
});

test('there is no other page among them', () => {
  expect(readdirSync(folder).sort()).toEqual(pages.map(({ file }) => file).sort());
});

test('nearly every key of a recipe is explained', () => {
  const text = pages.find(({ file }) => file === 'recipe.md')?.text ?? '';
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const bare = rows.filter((line) => line.endsWith('|  |'));
  expect(rows.length).toBeGreaterThan(100);
  expect(bare).toEqual([]);
});
