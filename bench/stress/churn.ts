import type { BenchOptions } from '../options.js';
export async function churn(_: BenchOptions): Promise<void> {}
