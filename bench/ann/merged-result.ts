import type { BenchmarkResult } from 'nigh/evaluation';
import { UsageError } from '../options.js';

/**
 * A result with the datasets of an earlier one beside its own, which take the places of those of the same name, in the order of the grid. Each
 * dataset says when and of which commit it was measured.
 * @throws UsageError where the two are no parts of one run: another grid, machine or version
 */
export function mergedResult(
  before: BenchmarkResult | undefined,
  after: BenchmarkResult,
  order: readonly string[],
): BenchmarkResult {
  if (before === undefined) return after;
  for (const [what, old, now] of [
    ['grid', before.grid, after.grid],
    ['processor', before.machine.cpu, after.machine.cpu],
    ['number of cores', before.machine.cores, after.machine.cores],
    ['instructions', before.machine.simd, after.machine.simd],
    ['version of Node.js', before.machine.node, after.machine.node],
    ['version of nigh', before.nigh.version, after.nigh.version],
  ] as const) {
    if (old !== now) throw new UsageError(`the results are no parts of one run: their ${what} is ${old} and ${now}`);
  }
  const anew = new Set(after.datasets.map(({ dataset }) => dataset.name));
  const triedAnew = new Set([...anew, ...(after.failed ?? []).map(({ dataset }) => dataset)]);
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return {
    ...after,
    failed: [...(before.failed ?? []).filter(({ dataset }) => !triedAnew.has(dataset)), ...(after.failed ?? [])],
    datasets: [...before.datasets.filter(({ dataset }) => !anew.has(dataset.name)), ...after.datasets].sort(
      (a, b) => place(a.dataset.name) - place(b.dataset.name),
    ),
  };
}
