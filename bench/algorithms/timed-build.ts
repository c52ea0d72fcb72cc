/** What a build takes, without loading the rows and saving the index. */
export interface BuildTime {
  readonly seconds: number;
  /** Of the processor, user and system, on all threads: what other work on the machine hardly changes. Null where another process builds. */
  readonly cpuSeconds: number | null;
}

/** Builds, and how long that took. */
export async function timedBuild<Built>(
  build: () => Built | Promise<Built>,
): Promise<{ readonly built: Built; readonly time: BuildTime }> {
  const used = process.cpuUsage();
  const began = performance.now();
  const built = await build();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  return { built, time: { seconds, cpuSeconds: (user + system) / 1e6 } };
}
