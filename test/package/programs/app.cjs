// The same from CommonJS: `node app.cjs <collection>`.
const { NighError, Retriever } = require('nigh');
const { FlatIndex } = require('nigh/index');

(async () => {
  const retriever = await Retriever.open(process.argv[2]);
  const { results } = await retriever.similarItems('f7', { k: 3, exact: true });
  let rows = 0;
  for await (const block of retriever.neighbors({ k: 2 })) rows += block.size;
  const failure = await retriever.similarItems('nobody').catch((error) => error);
  await retriever.close();
  const index = await FlatIndex.build({ data: Float32Array.of(0, 0, 1, 1), rows: 2, dim: 2 }, { metric: 'l2' });
  const { ids } = await index.search(Float32Array.of(1, 0.9), 1);
  const code = failure instanceof NighError ? failure.code : String(failure);
  console.log(JSON.stringify({ similar: results.map(({ id }) => id), rows, code, nearest: [...ids] }));
  // Whoever imports it beside sees one nigh, not two.
  const imported = await import('nigh');
  if (imported.Retriever !== Retriever || imported.FlatIndex !== FlatIndex) throw new Error('There are two of them.');
})();
