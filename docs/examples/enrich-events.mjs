// Events in, events with recommendations out: one JSON object a line, on stdin and stdout.
//   tail -f events.jsonl | node enrich-events.mjs <collection>
// Sixteen events are looked up at a time and leave in the order in which they came; a reader who is slow holds the rest back.
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Retriever } from 'nigh';

const atOnce = 16;
const retriever = await Retriever.open(process.argv[2]);

async function* eventsOf(input) {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() !== '') yield JSON.parse(line);
  }
}

async function enriched(event, { signal }) {
  try {
    const { results } = await retriever.similarItems(event.product, { k: 3, signal });
    return { ...event, alsoLike: results.map(({ id }) => id) };
  } catch (error) {
    // A product that came after the build is no reason to lose its event.
    if (error.code !== 'UNKNOWN_ITEM') throw error;
    return { ...event, alsoLike: [] };
  }
}

await pipeline(
  Readable.from(eventsOf(process.stdin)).map(enriched, { concurrency: atOnce }),
  async function* (events) {
    for await (const event of events) yield `${JSON.stringify(event)}\n`;
  },
  process.stdout,
);
await retriever.close();
