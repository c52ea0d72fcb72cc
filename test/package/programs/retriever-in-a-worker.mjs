// A worker thread that opens a collection and asks all that a program asks; `workerData.until` says whether it ends by itself.
import { parentPort, workerData } from 'node:worker_threads';
import { Retriever } from 'nigh';

const { collection, forever } = workerData;
const retriever = await Retriever.open(collection);
const idsOf = ({ results }) => results.map(({ id }) => id);

async function answers() {
  const rows = [];
  for await (const { id, neighbors } of retriever.neighbors({ k: 3, exact: true }).each())
    rows.push([id, ...neighbors]);
  const stopped = retriever.similarItems('f1', { signal: AbortSignal.abort() });
  const failures = await Promise.all(
    [retriever.similarItems('nobody'), stopped].map((failing) => failing.catch(({ name, code }) => [name, code])),
  );
  return {
    similar: idsOf(await retriever.similarItems('f7', { k: 5, exact: true, where: 'year >= 1955' })),
    recommended: idsOf(await retriever.recommend('u3', { k: 5, exact: true })),
    text: idsOf(await retriever.query({ text: 'saloon', k: 3, exact: true })),
    rows,
    failures,
  };
}

if (forever) {
  parentPort.postMessage('begun');
  for (;;) await answers();
}
parentPort.postMessage(await answers());
await retriever.close();
