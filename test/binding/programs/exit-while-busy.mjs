// Ends the process while tasks read its arrays.
import { addon, wholeNumbers } from './addon.mjs';

const rows = 4000;
const dim = 32;
const data = wholeNumbers(rows, dim);
const flat = await addon.NativeIndex.buildFlat(data, rows, dim, null, 'l2', null);
void addon.NativeIndex.buildHnsw(data, rows, dim, null, 'l2', 16, 200, 1.1, 7, 'none', 0, null);
void flat.searchBatch(
  data,
  rows,
  dim,
  5,
  10,
  2,
  false,
  null,
  new Uint32Array(rows * 5),
  new Float32Array(rows * 5),
  new Uint32Array(rows),
  0,
  null,
);
for (let i = 0; i < 50; i++) void flat.search(data.subarray(0, dim), 10, 10, 2, false, null, null);
setImmediate(() => process.exit(3));
