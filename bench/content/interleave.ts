/** Several ways to the same thing, each in turn in every round, so that the machine's drift falls on all alike. */
import { median } from '../measures.js';
import { say } from '../report/say.js';
import { decimal, textTable, whole } from '../report/text-table.js';

export interface Way {
  readonly name: string;
  /** Does it once. @returns the seconds that it took */
  run(): Promise<number>;
}

/** Runs and prints: seconds, things a second, and how many times as long as the first way, which is ours. */
export async function compareWays(about: string, things: number, ways: readonly Way[], repeats: number): Promise<void> {
  const seconds: number[][] = ways.map(() => []);
  // What is loaded and compiled at the first run is not measured.
  for (const way of ways) await way.run();
  for (let round = 0; round < repeats; round++) {
    for (const [w, way] of ways.entries()) seconds[w]!.push(await way.run());
  }
  const rows = ways.map(({ name }, w) => {
    const own = seconds[w]!;
    const ratios = own.map((time, round) => time / seconds[0]![round]!);
    return [
      name,
      decimal(median(own), 3),
      whole(things / median(own)),
      decimal(median(ratios), 2),
      `(${decimal(Math.min(...ratios), 2)}–${decimal(Math.max(...ratios), 2)})`,
    ];
  });
  say(`\n${about}; medians of ${repeats} rounds, × is the time as a multiple of ours in the same round`);
  say(textTable(['', 'seconds', 'a second', '×', '(spread)'], rows).trimEnd());
}

/** The seconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
