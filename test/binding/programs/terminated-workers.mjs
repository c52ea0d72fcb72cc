// Starts workers that keep the addon busy and ends each of them at another moment; then sees that the addon still works.
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { addon, wholeNumbers } from './addon.mjs';

const data = wholeNumbers(300, 8);
const rounds = 16;
for (let round = 0; round < rounds; round++) {
  const worker = new Worker(new URL('./busy-worker.mjs', import.meta.url), { workerData: { exits: round % 4 === 3 } });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await setTimeout(round * 3);
  await worker.terminate();
}
const index = await addon.NativeIndex.buildFlat(data, 300, 8, null, 'l2', null);
const answer = await index.search(data.subarray(0, 8), 1, 10, 2, false, null, null);
console.log(`answered ${new Uint32Array(answer, 24, 1)[0]}`);
