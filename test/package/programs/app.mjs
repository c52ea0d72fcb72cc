// A program of somebody else's, over a collection: `node app.mjs <collection>` prints what it was answered as one JSON document.
import { Retriever } from 'nigh';
import { FlatIndex } from 'nigh/index';

const retriever = await Retriever.open(process.argv[2]);
const { results } = await retriever.similarItems('f7', { k: 3, exact: true });
let rows = 0;
for await (const block of retriever.neighbors({ k: 2 })) rows += block.size;
const failure = await retriever.similarItems('nobody').catch((error) => error);
await retriever.close();
// Of another entry: the same classes all the same.
const index = await FlatIndex.build({ data: Float32Array.of(0, 0, 1, 1), rows: 2, dim: 2 }, { metric: 'l2' });
const { ids } = await index.search(Float32Array.of(1, 0.9), 1);
console.log(JSON.stringify({ similar: results.map(({ id }) => id), rows, code: failure.code, nearest: [...ids] }));
