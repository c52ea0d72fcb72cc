/** The commands, and whether one needs the packages of bench/package.json: peers, charts, the sender of requests. */
export const commands = {
  ann: { packages: true },
  crossover: { packages: false },
  pictures: { packages: true },
  'event-loop': { packages: false },
  memory: { packages: false },
  insert: { packages: false },
  churn: { packages: false },
  filters: { packages: false },
  content: { packages: false },
  retrieval: { packages: false },
  neighbors: { packages: false },
  service: { packages: true },
  shards: { packages: false },
} as const;

export type BenchCommand = keyof typeof commands;

/** The command that the first argument names; `ann` where it is a dataset, or there is none. */
export function commandOf(first: string | undefined): BenchCommand {
  return Object.keys(commands).find((name): name is BenchCommand => name === first) ?? 'ann';
}
