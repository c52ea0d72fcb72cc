// Prints which instruction set is in force and the neighbours that each engine finds.
import { addon, buildFlat, buildHnsw, settings, wholeNumbers } from './addon.mjs';

const rows = 700;
const dim = 37;
const data = wholeNumbers(rows, dim);
/** @type {Record<string, unknown>} */
const out = { level: addon.simd().level };
for (const metric of ['l2', 'ip', 'cosine']) {
  const flat = await buildFlat(data, dim, metric);
  const graph = await buildHnsw(data, dim, metric, 1);
  for (const [name, index] of Object.entries({ flat, graph })) {
    const ids = new Uint32Array(50 * 10);
    const distances = new Float32Array(50 * 10);
    const counts = new Uint32Array(50);
    await index.searchBatch(
      data.subarray(0, 50 * dim),
      50,
      dim,
      settings(10, 200),
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
