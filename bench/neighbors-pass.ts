/** One pass, measured from inside: `node neighbors-pass.js <collection> <path> <options as JSON>` prints a PassResult. */
import { readFileSync } from 'node:fs';
import { type NeighborsOptions, Retriever, writeNeighbors } from 'nigh';

export interface PassResult {
  readonly rows: number;
  /** From the open collection to the whole file. */
  readonly seconds: number;
  /** Resident memory once the collection was open, its maps read once by their checksums. */
  readonly openedBytes: number;
  readonly peakBytes: number;
}

const [directory, path, options] = process.argv.slice(2) as [string, string, string];
const retriever = await Retriever.open(directory);
const openedBytes = process.memoryUsage().rss;
const began = performance.now();
const { rows } = await writeNeighbors(retriever.neighbors(JSON.parse(options) as NeighborsOptions), path, {
  restart: true,
});
const seconds = (performance.now() - began) / 1000;
await retriever.close();
process.stdout.write(JSON.stringify({ rows, seconds, openedBytes, peakBytes: peakBytes() } satisfies PassResult));

function peakBytes(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  return line === null ? process.resourceUsage().maxRSS * 1024 : Number(line[1]) * 1024;
}
