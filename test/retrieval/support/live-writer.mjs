// Makes the changes of a file to a collection, some at a time, and writes down every answer once it is there: a process to be killed.
//   node live-writer.mjs <collection> <steps.json> <answers> <at a time> <compact after every …, 0 for never> <times that a change is tried>
import { appendFileSync, readFileSync } from 'node:fs';

const [directory, stepsFile, answers, width, compactEvery, tries] = process.argv.slice(2);
const { Retriever } = await import(new URL('../../../dist/retrieval/retriever.js', import.meta.url));
const steps = JSON.parse(readFileSync(stepsFile, 'utf8'));
const retriever = await Retriever.open(directory, { write: true, compactAfter: 0 });

function make(step, requestId) {
  switch (step.kind) {
    case 'upsert':
      return retriever.upsertItem(step.id, step.fields, { requestId });
    case 'delete':
      return retriever.deleteItem(step.id, { requestId });
    case 'interact':
      return retriever.addInteractions(step.events, { requestId });
    case 'forget':
      return retriever.forgetUser(step.user, { requestId });
  }
}

async function makeSurely(step, requestId) {
  for (let failed = 1; ; failed++) {
    try {
      return await make(step, requestId);
    } catch (error) {
      if (error.code !== 'IO' || failed >= Number(tries)) throw error;
      appendFileSync(answers, `failed: ${requestId}\n`);
    }
  }
}

const first = retriever.journal.sequence;
let compaction = Promise.resolve();
for (let begin = first; begin < steps.length; begin += Number(width)) {
  const some = steps.slice(begin, begin + Number(width));
  await Promise.all(
    some.map(async (step, i) => {
      const { sequence } = await makeSurely(step, `request ${begin + i}`);
      appendFileSync(answers, `${sequence}\n`);
    }),
  );
  if (Number(compactEvery) > 0 && (begin / Number(width)) % Number(compactEvery) === Number(compactEvery) - 1) {
    await compaction;
    compaction = retriever.compact({ threads: 1 }).then(
      () => appendFileSync(answers, 'compacted\n'),
      (error) => appendFileSync(answers, `compaction: ${error.code}\n`),
    );
  }
}
await compaction;
await retriever.close();
