// Opens copies of a collection whose journal has one byte altered, writes to those that open, and says what came of each: a process that may end.
//   node damaged-journals.mjs <collection> <scratch> <how many> <seed>
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [collection, scratch, count, seed] = process.argv.slice(2);
const { Retriever } = await import(new URL('../../../dist/retrieval/retriever.js', import.meta.url));
const { verifyCollection } = await import(
  new URL('../../../dist/retrieval/upkeep/verify-collection.js', import.meta.url)
);
const journal = (directory) => join(directory, 'journal', 'data.mdb');
const whole = readFileSync(journal(collection));

let state = Number(seed);
function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

async function answersOf(retriever) {
  const { items, users, interactions } = retriever.info;
  const found = retriever.findItems('', { limit: 10_000 }).map(({ id }) => retriever.item(id));
  const { results } = await retriever.recommend('u0', { k: 20, exact: true, space: 'taste' });
  return JSON.stringify([items, users, interactions, retriever.journal.sequence, found, results]);
}

/** What is answered, after a change too, by whoever opens it then. */
async function tried(directory) {
  const first = await Retriever.open(directory, { write: true, compactAfter: 0 });
  const answers = [];
  try {
    answers.push(await answersOf(first));
    for (let n = 0; n < 3; n++) await first.upsertItem('i1', { title: `Title after ${n} of ${'x'.repeat(n * 3000)}` });
    answers.push(await answersOf(first));
  } finally {
    await first.close();
  }
  const second = await Retriever.open(directory);
  answers.push(await answersOf(second));
  await second.close();
  return answers.join('\n');
}

const directory = join(scratch, 'copy');
let expected;
const outcomes = { right: 0 };
for (let round = -1; round < Number(count); round++) {
  rmSync(directory, { recursive: true, force: true });
  cpSync(collection, directory, { recursive: true });
  const bytes = Buffer.from(whole);
  // Heads of pages are few of the bytes, and what everything hangs on: half of all lie there.
  const page = below(bytes.length / 4096) * 4096;
  const at = round % 2 === 0 ? page + below(200) : page + below(4096);
  if (round >= 0) bytes[at] ^= 1 << below(8);
  writeFileSync(journal(directory), bytes);
  // Told before: it may be the last thing that this process does.
  if (round >= 0) writeFileSync(join(scratch, 'last'), `byte ${at}, now ${bytes[at]}`);
  try {
    const answers = await tried(directory);
    expected ??= answers;
    if (answers !== expected) throw Object.assign(new Error('other answers'), { code: 'OTHER ANSWERS' });
    outcomes.right++;
  } catch (error) {
    if (error.name !== 'NighError') {
      console.error(`byte ${at}, now ${bytes[at]}:`, error);
      process.exit(1);
    }
    outcomes[error.code] = (outcomes[error.code] ?? 0) + 1;
    // What cannot be opened is a finding, and nothing else.
    if (round % 16 === 0 && (await verifyCollection(directory, { threads: 1 })).sound) {
      console.error(`byte ${at}, now ${bytes[at]}: ${error.message}, and nothing is found`);
      process.exit(1);
    }
  }
}
console.log(JSON.stringify(outcomes));
