import type { BenchOptions } from '../options.js';
export async function eventLoop(_: BenchOptions): Promise<void> {}
