// Prints which instruction set is in force and the neighbours that each engine finds.
import { addon, wholeNumbers } from './addon.mjs';

const rows = 700;
const dim = 37;
const data = wholeNumbers(rows, dim);
/** @type {Record<string, unknown>} */
const out = { level: addon.simd().level };
for (const metric of ['l2', 'ip', 'cosine']) {
  const flat = await addon.NativeIndex.buildFlat(data, rows, dim, null, metric, null);
  const graph = await addon.NativeIndex.buildHnsw(data, rows, dim, null, metric, 16, 100, 1.1, 7, 'none', 1, null);
  for (const [name, index] of Object.entries({ flat, graph })) {
    const ids = new Uint32Array(50 * 10);
    const distances = new Float32Array(50 * 10);
    const counts = new Uint32Array(50);
    await index.searchBatch(
      data.subarray(0, 50 * dim),
      50,
      dim,
      10,
      200,
      2,
      false,
      null,
      ids,
      distances,
      counts,
      0,
      null,
    );
    out[`${name} ${metric}`] = { ids: [...ids], distances: [...distances] };
  }
}
console.log(JSON.stringify(out));
