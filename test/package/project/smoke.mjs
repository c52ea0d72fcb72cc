// Uses what is promised of an installed nigh from the outside; it prints "smoke test passed" and ends with 0, or says what failed.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FlatIndex, HnswIndex, HnswlibIndex, IdSet, openIndex, Retriever, simd } from 'nigh';
import * as index from 'nigh/index';

for (const entry of ['nigh/embeddings', 'nigh/evaluation', 'nigh/service', 'nigh/client', 'nigh/postgres']) {
  assert.ok(Object.keys(await import(entry)).length > 0, entry);
}

const dim = 24;
const rows = 3_000;
let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 - 0.5;
};
const data = Float32Array.from({ length: rows * dim }, random);
const query = data.slice(0, dim);
const folder = mkdtempSync(join(tmpdir(), 'nigh-smoke-'));

// Vectors: build, search against the exact answer, save, open.
const exact = await FlatIndex.build({ data, rows, dim }, { metric: 'cosine' });
const graph = await HnswIndex.build({ data, rows, dim }, { metric: 'cosine' });
const wanted = [...(await exact.search(query, 10)).ids];
assert.equal(wanted[0], 0);
const found = [...(await graph.search(query, 10, { efSearch: 200 })).ids];
assert.ok(found.filter((id) => wanted.includes(id)).length >= 9, `recall of the graph: ${found} for ${wanted}`);
assert.ok(![...(await graph.search(query, 10, { filter: IdSet.deny([0]) })).ids].includes(0));
await graph.save(join(folder, 'items.ann'));
for (const mode of /** @type {const} */ (['memory', 'mmap'])) {
  const opened = await openIndex(join(folder, 'items.ann'), { mode });
  assert.deepEqual([...(await opened.search(query, 10, { efSearch: 200 })).ids], found);
  opened.close();
}

// A damaged file is an error with a code.
writeFileSync(join(folder, 'damaged.ann'), 'not an index at all');
await assert.rejects(openIndex(join(folder, 'damaged.ann')), { name: 'NighError' });

// What is optional and absent says how to get it; it may be there, where a project has it for itself.
const require = createRequire(import.meta.url);
const absent = (/** @type {string} */ name) => {
  try {
    require.resolve(name);
    return false;
  } catch {
    return true;
  }
};
if (absent('hnswlib-node')) {
  await assert.rejects(HnswlibIndex.build({ data, rows, dim }, { metric: 'cosine' }), {
    code: 'OPTIONAL_PACKAGE',
    message: /npm install hnswlib-node/,
  });
}

// A collection: built by the command, asked by the library.
const command = join(import.meta.dirname ?? '.', 'node_modules/nigh/dist/cli/main.js');
const nigh = (/** @type {string[]} */ ...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const built = nigh('build', 'shop');
assert.equal(built.status, 0, built.stderr);
const shop = await Retriever.open('indexes/shop', { write: true });
const alike = await shop.similarItems('p6', { k: 2 });
assert.deepEqual(new Set(alike.results.map(({ id }) => id)), new Set(['p7', 'p8']));
assert.equal((await shop.recommend('ada', { k: 3 })).results.length, 3);
await shop.upsertItem('p9', { title: 'Oregano', attributes: { kind: ['herb'] } });
assert.equal((await shop.recommendFor([{ item: 'p1' }], { k: 4 })).results.length, 4);
await shop.close();
assert.equal(nigh('verify', 'shop').status, 0);
if (absent('onnxruntime-node')) {
  const towers = nigh('build', 'towers');
  assert.equal(towers.status, 1);
  assert.match(towers.stderr, /npm install onnxruntime-node@/);
}

// A worker thread.
await new Promise((resolve, reject) => {
  const program = `
    import { FlatIndex } from 'nigh/index';
    import { parentPort } from 'node:worker_threads';
    const index = await FlatIndex.build({ data: Float32Array.of(0, 0, 1, 1), rows: 2, dim: 2 }, { metric: 'l2' });
    parentPort.postMessage([...(await index.search(Float32Array.of(1, 0.9), 2)).ids]);`;
  writeFileSync('worker.mjs', program);
  const worker = new Worker(new URL('worker.mjs', import.meta.url));
  worker.once('message', (ids) => {
    assert.deepEqual(ids, [1, 0]);
    resolve(undefined);
  });
  worker.once('error', reject);
});

// The service.
const service = spawn(process.execPath, [command, 'serve', 'shop', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'pipe'],
});
try {
  const address = await new Promise((resolve, reject) => {
    let output = '';
    const read = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
      const match = /Serving on (http:\S+)/.exec(output);
      if (match !== null) resolve(match[1]);
    };
    service.stdout.on('data', read);
    service.stderr.on('data', read);
    service.once('close', () => reject(new Error(`nigh serve ended:\n${output}`)));
  });
  const answer = await (await fetch(`${address}/v1/collections/shop/items/p6/similar?k=2`)).json();
  assert.equal(answer.results.length, 2);
  assert.equal((await fetch(`${address}/docs/`)).status, 200);
  assert.equal((await fetch(`${address}/`)).status, 200);
} finally {
  service.kill('SIGTERM');
}

// From CommonJS; both ways are one package.
assert.equal(require('nigh').HnswIndex, HnswIndex);
assert.equal(require('nigh/index').HnswIndex, index.HnswIndex);
console.log(`smoke test passed: Node.js ${process.version}, ${process.platform}-${process.arch}, ${simd().level}`);
