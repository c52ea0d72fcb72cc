/** The directions in which the code may lean on itself. Read from the sources by pattern, so that it costs nothing to keep. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { errorKinds } from '../src/core/errors.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');

/** Which layers a layer of src/ may import, besides itself. */
const allowed: Record<string, readonly string[]> = {
  core: [],
  binding: ['core'],
  index: ['core', 'binding'],
  data: ['core'],
  embeddings: ['core', 'binding', 'data'],
  evaluation: ['core', 'binding', 'data', 'embeddings', 'index', 'retrieval'],
  retrieval: ['core', 'data', 'embeddings', 'index'],
  service: ['core', 'retrieval'],
  client: ['core', 'retrieval'],
  postgres: ['core', 'binding', 'data', 'embeddings', 'index', 'retrieval'],
  cli: ['core', 'data', 'embeddings', 'index', 'retrieval', 'evaluation', 'postgres'],
  setup: [],
};

/** Imports across layers that the table does not allow, each with its reason. */
const exceptions = new Set([
  'cli/commands/serve.ts -> service', // the command that starts the service
]);

/** Codes that nothing throws yet. */
const reserved: readonly string[] = [];

function filesBelow(directory: string, ending: RegExp): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => ending.test(path))
    .map((path) => join(directory, path))
    .sort();
}

const sources = filesBelow(source, /\.(ts|mjs)$/);
const nativeSources = filesBelow(join(root, 'native'), /\.(cpp|h)$/);

const textOf = (path: string) => readFileSync(path, 'utf8');
const nameOf = (path: string) => relative(source, path).split(sep).join('/');
const layerOf = (path: string) => nameOf(path).split('/')[0] ?? '';

/** The specifiers that a module imports or re-exports, statically, dynamically or as a type. */
function importsOf(path: string): string[] {
  const code = textOf(path).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...code.matchAll(pattern)].map((found) => found[1] ?? '');
}

/** The file that a relative specifier means: `./x.js` is written for `./x.ts`. */
function fileOf(from: string, specifier: string): string {
  const path = resolve(dirname(from), specifier);
  return sources.find((file) => file === path || file === path.replace(/\.js$/, '.ts')) ?? path;
}

describe('layers', () => {
  test('every folder of src is a layer with a rule', () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => allowed[name] === undefined)).toEqual([]);
  });

  test('imports go one way', () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const rule = allowed[layerOf(file)];
      if (rule === undefined) continue; // src/index.ts, which may name everything
      for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
        const target = layerOf(fileOf(file, specifier));
        const edge = `${nameOf(file)} -> ${target}`;
        if (target !== layerOf(file) && !rule.includes(target) && !exceptions.has(edge)) wrong.push(edge);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the reader of imports sees them', () => {
    expect(importsOf(join(source, 'index/flat-index.ts'))).toContain('../binding/native.js');
    expect(importsOf(join(source, 'index/index.ts'))).toContain('./flat-index.js');
    expect(importsOf(join(source, 'index/hnswlib-worker.mjs'))).toContain('hnswlib-node');
  });

  test('no module of src reaches into bench, test or dist', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !resolve(dirname(file), specifier).startsWith(source + sep))
        .map((specifier) => `${nameOf(file)} -> ${specifier}`)
        .filter(() => layerOf(file) !== 'setup'),
    );
    expect(wrong).toEqual([]);
  });

  test('nigh/index alone loads no recommender code, no HTTP and no metadata format', () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith('.')) visit(fileOf(file, specifier));
        else if (!specifier.startsWith('node:')) packages.add(specifier);
      }
    };
    visit(join(source, 'index/index.ts'));
    const layers = new Set([...seen].map(layerOf));
    expect([...layers].sort()).toEqual(['binding', 'core', 'index']);
    // hnswlib-node is imported by the worker alone, when an index of that kind is used.
    expect([...packages]).toEqual([]);
    expect(seen.size).toBeGreaterThan(15);
  });
});

describe('the native core', () => {
  test('napi.h is included in native/napi and nowhere else, and the core includes nothing from there', () => {
    const outside = nativeSources.filter((file) => !file.startsWith(join(root, 'native/napi') + sep));
    expect(outside.length).toBeGreaterThan(10);
    const wrong = outside.filter((file) =>
      /#include\s*[<"](napi|node_api|js_native_api|node|v8|uv)[./"]|#include\s*"napi\//.test(textOf(file)),
    );
    expect(wrong.map((file) => relative(root, file))).toEqual([]);
    expect(nativeSources.length).toBeGreaterThan(outside.length);
  });

  test('files for one instruction set include no header of ours but the kernel table', () => {
    const wrong = nativeSources
      .filter((file) => /kernels_(avx|neon)/.test(file))
      .flatMap((file) =>
        [...textOf(file).matchAll(/#include "([^"]+)"/g)].map((found) => `${relative(root, file)}: ${found[1]}`),
      )
      .filter((line) => !/: simd\//.test(line));
    expect(wrong).toEqual([]);
  });
});

describe('error codes', () => {
  const literals = (text: string, quote: string) =>
    [...text.matchAll(new RegExp(`${quote}([A-Z][A-Z_]{1,})${quote}`, 'g'))].map((found) => found[1] ?? '');

  test('every code that the native core throws is in the table', () => {
    const environment = new Set(['NIGH_SIMD', 'NIGH_THREADS']);
    const unknown = nativeSources.flatMap((file) =>
      literals(textOf(file), '"')
        .filter((code) => !environment.has(code) && !Object.hasOwn(errorKinds, code))
        .map((code) => `${relative(root, file)}: ${code}`),
    );
    expect(unknown).toEqual([]);
  });

  test('every code that plain JavaScript throws is in the table', () => {
    const unknown = sources
      .filter((file) => file.endsWith('.mjs') && layerOf(file) !== 'setup')
      .flatMap((file) => [...textOf(file).matchAll(/Failure\(\s*'([A-Z_]+)'|code = '([A-Z_]+)'/g)])
      .map((found) => found[1] ?? found[2] ?? '')
      .filter((code) => !Object.hasOwn(errorKinds, code));
    expect(unknown).toEqual([]);
  });

  test('every code of the table is thrown somewhere, or reserved', () => {
    const used = new Set<string>();
    for (const file of nativeSources) for (const code of literals(textOf(file), '"')) used.add(code);
    for (const file of sources) {
      if (nameOf(file) === 'core/errors.ts') continue;
      for (const code of literals(textOf(file), "'")) used.add(code);
    }
    // invalidArgument() of core/errors.ts.
    used.add('INVALID_ARGUMENT');
    const unused = Object.keys(errorKinds).filter((code) => !used.has(code) && !reserved.includes(code));
    expect(unused).toEqual([]);
    expect(reserved.filter((code) => used.has(code) || !Object.hasOwn(errorKinds, code))).toEqual([]);
  });

  test('every code has a status of the 4xx or 5xx range and a sentence', () => {
    for (const [code, { status, meaning }] of Object.entries(errorKinds)) {
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
      expect(meaning, code).toMatch(/^[A-Z].*\.$/);
    }
  });
});
