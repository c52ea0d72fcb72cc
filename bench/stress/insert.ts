import type { BenchOptions } from '../options.js';
export async function insert(_: BenchOptions): Promise<void> {}
