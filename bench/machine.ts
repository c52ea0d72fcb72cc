/** What this machine is, how busy it is, and how fast it reads memory. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { simd } from 'nigh/index';

/** What a figure was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** The instructions that our core uses. */
  readonly simd: string;
  readonly system: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? '',
    cores: cpus().length,
    memoryBytes: totalmem(),
    simd: simd().level,
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  };
}

/**
 * Makes the system forget what it holds of some files, so that the next reader waits for the disk: `dd` with nothing to write gives the advice
 * (Linux with the GNU tools). False where that cannot be done.
 */
export function dropFromCache(files: readonly string[]): boolean {
  if (platform() !== 'linux') return false;
  try {
    for (const file of files) {
      execFileSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * How many cores other processes used between two looks, on average: figures taken beside others are marked. NaN where the system does
 * not count its cores' time.
 */
export function watchOthers(): () => number {
  const busyMs = () => cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const from = { at: performance.now(), busy: busyMs(), own: process.cpuUsage() };
  return () => {
    const elapsed = performance.now() - from.at;
    const own = process.cpuUsage(from.own);
    const others = busyMs() - from.busy - (own.user + own.system) / 1000;
    return Math.max(0, others / elapsed);
  };
}

/** From this many cores in use by others on, a figure counts as taken on a busy machine. */
export const busyFrom = 0.15;

/** Bytes of memory that this process holds now. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** From now on `peakBytes` tells the peak since this call, where the system can be asked for that (Linux). */
export function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Elsewhere the peak is that of the whole process, which is an upper bound.
  }
}

/** The most bytes of memory that this process has held since `forgetPeak`. */
export function peakBytes(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // No /proc: the process's own account, next.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/**
 * Bytes a second that one thread reads from memory in sequence: the fastest of some searches for a byte that is not there (`memchr` in the
 * C library) over a buffer far larger than any cache. What an exact scan of float32 rows cannot beat without reading less.
 */
export function readBandwidth(bytes = 512 * 1024 * 1024): number {
  const buffer = Buffer.alloc(bytes, 1); // written, so that every page is there
  let best = 0;
  for (let round = 0; round < 7; round++) {
    const began = performance.now();
    if (buffer.indexOf(2) !== -1) throw new Error('found a byte that is not there');
    best = Math.max(best, bytes / ((performance.now() - began) / 1000));
  }
  return best;
}
