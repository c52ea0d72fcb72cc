// Starts workers that keep the addon busy and ends each of them at another moment; then sees that the addon still works.
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { buildFlat, settings, wholeNumbers } from './addon.mjs';

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
const index = await buildFlat(data, 8, 'l2');
const answer = await index.search(data.subarray(0, 8), settings(1, 10), null, null);
console.log(`answered ${new Uint32Array(answer, 24, 1)[0]}`);
