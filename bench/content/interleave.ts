/** Several ways to the same thing, each in turn in every round, so that the machine's drift falls on all alike. */
import { median } from 'nigh/evaluation';
import { busyFrom, watchOthers } from '../machine.js';
import { say } from '../report/say.js';
import { decimal, textTable, whole } from '../report/text-table.js';

export interface Cost {
  readonly seconds: number;
  /** Of all threads together: what does not change when other programs want the cores too. */
  readonly cpuSeconds: number;
}

export interface Way {
  readonly name: string;
  /** Does it once. */
  run(): Promise<Cost>;
}

/** Runs and prints: seconds, things a second, and how many times as long as the first way, which is ours. */
export async function compareWays(about: string, things: number, ways: readonly Way[], repeats: number): Promise<void> {
  const costs: Cost[][] = ways.map(() => []);
  // What is loaded and compiled at the first run is not measured.
  for (const way of ways) await way.run();
  const others = watchOthers();
  for (let round = 0; round < repeats; round++) {
    for (const [w, way] of ways.entries()) costs[w]!.push(await way.run());
  }
  const busy = others();
  const rows = ways.map(({ name }, w) => {
    const own = costs[w]!;
    const ratios = own.map(({ seconds }, round) => seconds / costs[0]![round]!.seconds);
    const cpuRatios = own.map(({ cpuSeconds }, round) => cpuSeconds / costs[0]![round]!.cpuSeconds);
    const seconds = median(own.map((cost) => cost.seconds));
    return [
      name,
      decimal(seconds, 3),
      whole(things / seconds),
      decimal(median(ratios), 2),
      `(${decimal(Math.min(...ratios), 2)}–${decimal(Math.max(...ratios), 2)})`,
      decimal(median(own.map(({ cpuSeconds }) => cpuSeconds)), 2),
      decimal(median(cpuRatios), 2),
    ];
  });
  say(`\n${about}; medians of ${repeats} rounds, × is to ours in the same round`);
  say(textTable(['', 'seconds', 'a second', '×', '(spread)', 'CPU s', '× CPU'], rows).trimEnd());
  if (busy >= busyFrom) say(`  Others, the Python program among them, used ${decimal(busy, 2)} cores meanwhile.`);
}

/** What something costs this process. */
export async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const began = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
}
