// A small index, built and searched; where the processor will not do, the code of the error.
import assert from 'node:assert/strict';
import { HnswIndex, simd } from 'nigh/index';

const dim = 16;
const rows = 300;
const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i * i));
try {
  const index = await HnswIndex.build({ data, rows, dim }, { metric: 'cosine' });
  const { ids } = await index.search(data.slice(0, dim), 3);
  assert.equal(ids[0], 0);
  console.log(`found at ${simd().level}`);
} catch (error) {
  console.log(/** @type {{ code?: string }} */ (error).code, error);
}
