import type { BenchOptions } from '../options.js';
export async function memory(_: BenchOptions): Promise<void> {}
