/** What is published: read from the list that npm would pack, without packing. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { filesBelow } from '../../src/setup/fingerprint.mjs';
import { npmCommand } from '../../src/setup/run-command.mjs';
import { repository, requireBuild } from '../cli/nigh-command.js';

/** Everything that may be in it. A new kind of file has to be allowed here. */
const allowed = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CONTRIBUTING\.md|Dockerfile|binding\.gyp)$/,
  /^dist\/[\w./-]+\.(js|mjs|d\.ts)$/,
  /^dist\/service\/explorer\/[\w-]+\.(css|html|js|svg)$/,
  /^native\/(base|format|index|napi|quant|simd|train)\/[\w-]+\.(cpp|h)$/,
  /^native\/format\/FORMAT\.md$/,
  /^prebuilds\/(linux|darwin|win32)-(x64|arm64)\/nigh(\.glibc|\.musl)?\.node$/,
  /^src\/setup\/[\w-]+\.mjs$/,
  /^indexes\/([\w-]+\/recipe\.json|recipe\.schema\.json)$/,
  /^docs\/((decisions|reference|examples)\/)?[\w-]+\.md$/,
  /^docs\/pictures\/[\w-]+\.(svg|png)$/,
  /^docs\/examples\/[\w-]+\.mjs$/,
  /^docs\/(deploy\/[\w-]+\.yaml|grafana-dashboard\.json)$/,
  /^bench\/(README\.md|results\/(?:ann\.json|targets\.md))$/,
];

let packed: string[] = [];
beforeAll(() => {
  requireBuild();
  const { command, args } = npmCommand();
  const { stdout } = spawnSync(command, [...args, 'pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: repository,
    encoding: 'utf8',
  });
  const [{ files }]: [{ files: { path: string }[] }] = JSON.parse(stdout);
  packed = files.map(({ path }) => path);
});

test('the tarball holds what it should and nothing else', () => {
  expect(packed.filter((path) => !allowed.some((pattern) => pattern.test(path)))).toEqual([]);
});

test('every entry of the package is in it, with its types', () => {
  const manifest: {
    bin: Record<string, string>;
    exports: Record<string, string | Record<string, string>>;
  } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const entries = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry))),
  ].map((path) => path.replace(/^\.\//, ''));
  expect(entries.length).toBeGreaterThan(12);
  expect(entries.filter((path) => !packed.includes(path))).toEqual([]);
});

test('it can be compiled: all sources that binding.gyp names, and all that the install script imports', () => {
  const sources = [...readFileSync(join(repository, 'binding.gyp'), 'utf8').matchAll(/'(native\/[\w/]+\.cpp)'/g)];
  const headers = filesBelow(join(repository, 'native'), (path) => path.endsWith('.h'));
  const script = new Set<string>();
  const visit = (path: string) => {
    if (script.has(path)) return;
    script.add(path);
    const imported = readFileSync(join(repository, path), 'utf8').matchAll(/from '\.\/([\w-]+\.mjs)'/g);
    for (const [, name = ''] of imported) visit(`src/setup/${name}`);
  };
  visit('src/setup/install.mjs');
  const wanted = [
    ...sources.map(([, path = '']) => path),
    ...headers.map((path) => relative(repository, path).replaceAll('\\', '/')),
    ...script,
  ];
  expect(wanted.length).toBeGreaterThan(100);
  expect(wanted.filter((path) => !packed.includes(path))).toEqual([]);
  // No script of the repository beside them.
  expect(packed.filter((path) => path.startsWith('src/') && !script.has(path))).toEqual([]);
});

test('every link of a page in it leads to something in it', () => {
  // That of the benchmarks speaks of what a clone has.
  const pages = packed.filter((path) => path.endsWith('.md') && !path.startsWith('bench/'));
  const there = new Set(packed.flatMap((path) => [path, dirname(path)]));
  const dead = pages.flatMap((page) =>
    linksOf(page)
      .filter(({ path, heading }) => !there.has(path) || (heading !== '' && !headings(path).includes(heading)))
      .map(({ path, heading }) => `${page} → ${path}#${heading}`),
  );
  expect(pages.length).toBeGreaterThan(30);
  expect(dead).toEqual([]);
});

const textOf = (page: string) => readFileSync(join(repository, page), 'utf8').replace(/```[\s\S]*?```/g, '');

function linksOf(page: string): { path: string; heading: string }[] {
  return [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', heading = ''] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file).replaceAll('\\', '/').replace(/\/$/, '');
      return { path, heading };
    });
}

/** The names by which headings of a page are linked to. */
const headings = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('the packages that are optional for others are installed here, and load', () => {
  const require = createRequire(join(repository, 'package.json'));
  const { peerDependencies, peerDependenciesMeta } = require('./package.json');
  expect(Object.keys(peerDependencies)).toEqual(expect.arrayContaining(['hnswlib-node', 'onnxruntime-node', 'sharp']));
  for (const name of Object.keys(peerDependencies)) {
    expect(peerDependenciesMeta[name], name).toEqual({ optional: true });
    expect(require(name), name).toBeTruthy();
  }
});
