// Every engine, used from a worker thread through the package's own name, as another program would.
import { parentPort, workerData } from 'node:worker_threads';
import { FlatIndex, HnswIndex, HnswlibIndex, IdSet, openIndex } from 'nigh/index';

const { data, rows, dim, path } = workerData;
/** @type {Record<string, unknown>} */
const answers = {};
for (const kind of [FlatIndex, HnswIndex, HnswlibIndex]) {
  const index = await kind.build({ data, rows, dim }, { metric: 'l2' });
  const { ids } = await index.search(data.slice(0, dim), 3, { exact: true, filter: IdSet.deny([0]) });
  const batch = await index.searchBatch({ data, rows, dim }, 1, { exact: true });
  answers[kind.name] = { ids: [...ids], first: [...batch.ids] };
  index.close();
}
const opened = await openIndex(path, { mode: 'mmap' });
answers.opened = opened.size;
const failure = await opened.search(new Float32Array(1), 1).catch((/** @type {any} */ error) => error);
answers.failure = [failure.name, failure.code];
parentPort?.postMessage(answers);
