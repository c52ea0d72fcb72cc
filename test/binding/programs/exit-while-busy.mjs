// Ends the process while tasks read its arrays.
import { buildFlat, buildHnsw, settings, wholeNumbers } from './addon.mjs';

const rows = 4000;
const dim = 32;
const data = wholeNumbers(rows, dim);
const flat = await buildFlat(data, dim, 'l2');
void buildHnsw(data, dim, 'l2', 0);
void flat.searchBatch(
  data,
  rows,
  dim,
  settings(5, 10),
  null,
  new Uint32Array(rows * 5),
  new Float32Array(rows * 5),
  new Uint32Array(rows),
  0,
  null,
);
for (let i = 0; i < 50; i++) void flat.search(data.subarray(0, dim), settings(10, 10), null, null);
setImmediate(() => process.exit(3));
