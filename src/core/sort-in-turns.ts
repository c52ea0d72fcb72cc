import { breathe } from './abort.js';

/** Sorted or merged between two turns of the event loop: some milliseconds where a comparison takes a microsecond. */
const sortedAtOnce = 1024;
const mergedAtOnce = 8192;

/**
 * `values.sort(compare)` for many values and slow comparisons, with the event loop running in between: blocks are sorted, then merged two
 * by two. Equal values keep their order.
 * @returns the sorted values, in the place of those given or in a copy
 * @throws NighError ABORTED
 */
export async function sortInTurns(
  values: Uint32Array<ArrayBuffer>,
  compare: (a: number, b: number) => number,
  signal?: AbortSignal,
): Promise<Uint32Array<ArrayBuffer>> {
  const { length } = values;
  for (let begin = 0; begin < length; begin += sortedAtOnce) {
    values.subarray(begin, begin + sortedAtOnce).sort(compare);
    await breathe(signal);
  }
  let from = values;
  let to = new Uint32Array(length);
  for (let width = sortedAtOnce; width < length; width *= 2) {
    for (let begin = 0; begin < length; begin += 2 * width) {
      const middle = Math.min(begin + width, length);
      const end = Math.min(begin + 2 * width, length);
      for (let at = begin, left = begin, right = middle; at < end; at++) {
        const takesLeft = right === end || (left < middle && compare(from[left]!, from[right]!) <= 0);
        to[at] = takesLeft ? from[left++]! : from[right++]!;
        if (at % mergedAtOnce === 0) await breathe(signal);
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
