// The package from CommonJS alone.
const assert = require('node:assert/strict');
const { FlatIndex, NighError } = require('nigh');

(async () => {
  const index = await FlatIndex.build({ data: Float32Array.of(0, 0, 1, 1), rows: 2, dim: 2 }, { metric: 'l2' });
  const { ids } = await index.search(Float32Array.of(1, 0.9), 2);
  assert.deepEqual([...ids], [1, 0]);
  await assert.rejects(index.search(Float32Array.of(1), 2), NighError);
  console.log('required');
})();
