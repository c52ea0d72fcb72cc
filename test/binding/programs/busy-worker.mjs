// Has tasks of every kind under way, always; its arrays die with it.
import { parentPort, workerData } from 'node:worker_threads';
import { addon, wholeNumbers } from './addon.mjs';

const rows = 3000;
const dim = 24;
const data = wholeNumbers(rows, dim);
const flat = await addon.NativeIndex.buildFlat(data, rows, dim, null, 'l2', null);
parentPort?.postMessage('busy');

async function build() {
  for (;;) await addon.NativeIndex.buildHnsw(data, rows, dim, null, 'cosine', 16, 200, 1.1, 7, 'none', 0, null);
}

async function batch() {
  for (;;) {
    const ids = new Uint32Array(rows * 10);
    const distances = new Float32Array(rows * 10);
    const counts = new Uint32Array(rows);
    await flat.searchBatch(data, rows, dim, 10, 10, 2, false, null, ids, distances, counts, 0, null);
  }
}

async function search() {
  for (;;) await flat.search(data.subarray(0, dim), 10, 10, 2, false, null, null);
}

void Promise.all([build(), build(), batch(), batch(), ...Array.from({ length: 20 }, search)]);
if (workerData.exits) setTimeout(() => process.exit(0), 5);
