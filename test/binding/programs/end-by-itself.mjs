// A program whose only remaining work is a native promise lives until that settles, and not longer.
import { addon, wholeNumbers } from './addon.mjs';

const data = wholeNumbers(2000, 16);
const kept = await addon.NativeIndex.buildHnsw(data, 2000, 16, null, 'l2', 16, 100, 1.1, 7, 'none', 0, null);
console.log(`kept ${kept.size}`);
