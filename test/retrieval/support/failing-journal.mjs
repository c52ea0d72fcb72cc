// Makes eight changes in a new journal, and each that fails once more.
//   node failing-journal.mjs <collection>
const { Journal, journalPlace } = await import(new URL('../../../dist/retrieval/journal/journal.js', import.meta.url));
const journal = await Journal.open(journalPlace(process.argv[2]), 0, true);
let failed = 0;
let sequence = 1;
while (sequence <= 8 && failed < 8) {
  const change = { type: 'delete', id: `item ${sequence}`, at: 1 };
  try {
    await journal.append([{ change, requestId: `request ${sequence}`, acknowledgement: { sequence } }]);
    sequence += 1;
  } catch (error) {
    if (error.code !== 'IO') throw error;
    failed += 1;
  }
}
console.log(`made ${sequence - 1}, failed ${failed}, head ${journal.head}`);
await journal.close();
