// A program whose only remaining work is a native promise lives until that settles, and not longer.
import { buildHnsw, wholeNumbers } from './addon.mjs';

const data = wholeNumbers(2000, 16);
const kept = await buildHnsw(data, 16, 'l2', 0);
console.log(`kept ${kept.size}`);
