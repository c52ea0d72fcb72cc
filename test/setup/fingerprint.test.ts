import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, fingerprint } from '../../src/setup/fingerprint.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nigh-fingerprint-'));
  mkdirSync(join(folder, 'a'));
  writeFileSync(join(folder, 'a/one.cpp'), '1');
  writeFileSync(join(folder, 'two.cpp'), '2');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = (...further: string[]) => fingerprint(folder, filesBelow(folder), further);

test('the same content has the same fingerprint whatever the files’ times', () => {
  const before = now();
  utimesSync(join(folder, 'two.cpp'), new Date(0), new Date(0));
  expect(now()).toBe(before);
});

test('content, names, moves between files and further strings all count', () => {
  const seen = new Set([now(), now('x64')]);
  writeFileSync(join(folder, 'two.cpp'), '3');
  seen.add(now());
  renameSync(join(folder, 'two.cpp'), join(folder, 'three.cpp'));
  seen.add(now());
  writeFileSync(join(folder, 'a/one.cpp'), '13');
  writeFileSync(join(folder, 'three.cpp'), '');
  seen.add(now());
  expect(seen.size).toBe(5);
});

test('a folder that does not exist has no files', () => {
  expect(filesBelow(join(folder, 'nowhere'))).toEqual([]);
});
