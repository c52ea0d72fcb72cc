// Asks, where memory is limited, for arrays that do not fit, and goes on.
import { addon, buildFlat, settings, wholeNumbers } from './addon.mjs';

const data = wholeNumbers(300_000, 2);
const index = await buildFlat(data, 2, 'l2');
const outcomes = [];
for (const k of [2 ** 31, 2 ** 53 - 1]) {
  try {
    addon.NativeIndex.answerBuffers(k);
    outcomes.push('held');
  } catch (error) {
    outcomes.push(/** @type {any} */ (error).code);
  }
}
const found = addon.NativeIndex.answerBuffers(300_000);
const count = index.searchSync(data.subarray(0, 2), settings(300_000, 10), null);
const packed = await index.search(data.subarray(0, 2), settings(300_000, 10), null, null);
console.log(JSON.stringify({ outcomes, count, room: found.ids.length, bytes: packed.byteLength }));
