// Opens one path again and again, by turns in memory and mapped, while somebody else saves to it, and tells what each search found.
import { parentPort, workerData } from 'node:worker_threads';
import { openIndex } from 'nigh/index';

const { path, query, k } = workerData;
let over = false;
parentPort?.on('message', () => {
  over = true;
});
for (let turn = 0; !over; turn++) {
  const index = await openIndex(path, { mode: turn % 2 === 0 ? 'mmap' : 'memory' });
  const { ids, distances } = await index.search(query, k, { exact: turn % 3 === 0 });
  index.close();
  parentPort?.postMessage({ ids, distances });
  await new Promise(setImmediate);
}
parentPort?.close();
