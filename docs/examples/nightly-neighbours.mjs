// A nightly job: builds what has changed, then writes the neighbours of every item and what suits every user.
//   node nightly-neighbours.mjs <recipe.json> <collection> <folder for the files>
// Killed at any moment it is simply started again: the build leaves the old generation live, the files are gone on with. SIGTERM stops it cleanly.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCollection, loadRecipe, Retriever, writeNeighbors } from 'nigh';

const [recipe, collection, folder] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const { signal } = stop;

const { info, plan } = await buildCollection(await loadRecipe(recipe), collection, { reuse: true, signal });
console.log(plan.unchanged ? `${info.generation} is up to date` : `${info.generation} is live`);

await mkdir(folder, { recursive: true });
const retriever = await Retriever.open(collection);
for (const of of ['items', 'users']) {
  const path = join(folder, `${of}.parquet`);
  const { rows, resumedAt } = await writeNeighbors(retriever.neighbors({ of, k: 20, signal }), path);
  console.log(`${path}: ${rows} rows${resumedAt > 0 ? `, ${resumedAt} of them from the run before` : ''}`);
}
await retriever.close();
