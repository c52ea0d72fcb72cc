// Has tasks of every kind under way, always; its arrays die with it.
import { parentPort, workerData } from 'node:worker_threads';
import { buildFlat, buildHnsw, settings, wholeNumbers } from './addon.mjs';

const rows = 3000;
const dim = 24;
const data = wholeNumbers(rows, dim);
const flat = await buildFlat(data, dim, 'l2');
parentPort?.postMessage('busy');

async function build() {
  for (;;) await buildHnsw(data, dim, 'cosine', 0);
}

async function batch() {
  for (;;) {
    const ids = new Uint32Array(rows * 10);
    const distances = new Float32Array(rows * 10);
    const counts = new Uint32Array(rows);
    await flat.searchBatch(data, rows, dim, settings(10, 10), null, ids, distances, counts, 0, null);
  }
}

async function search() {
  for (;;) await flat.search(data.subarray(0, dim), settings(10, 10), null, null);
}

void Promise.all([build(), build(), batch(), batch(), ...Array.from({ length: 20 }, search)]);
if (workerData.exits) setTimeout(() => process.exit(0), 5);
