/**
 * One build of a collection at a time, or one writer of a file: a lock is a file, `LOCK` in a collection, that names its holder and is made
 * exclusively.
 *
 * A lock is stale, and taken over, when its holder ran on this machine and no longer does: no process has its number, or (on
 * Linux, where it can be asked) the process of that number began at another time, as after a restart. A holder on another
 * machine, which shares the directory, cannot be asked and is believed.
 *
 * Taking over: whoever would replace a stale lock first takes the lock of its succession, a file named after the stale lock's
 * token, in the same way. While that is held nobody else can replace this very lock, so it is looked at once more, and then
 * replaced.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { NighError } from '../core/errors.js';
import { isPlainObject } from '../core/params.js';
import { writeDurable } from './packed-file.js';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells two processes of the same number apart; null where the system does not say. */
  readonly began: string | null;
  readonly token: string;
  /** When it was taken; absent in locks of earlier releases. */
  readonly since?: string;
}

export class BuildLock {
  readonly #path: string;
  readonly #token: string;

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
  }

  /** @throws NighError LOCKED naming the holder, IO */
  static acquire(collection: string): Promise<BuildLock> {
    return BuildLock.at(join(collection, 'LOCK'), 'building this collection');
  }

  /**
   * @param path of the lock
   * @param doing what its holder does, for who is refused
   * @throws NighError LOCKED naming the holder, IO
   */
  static async at(path: string, doing: string): Promise<BuildLock> {
    const mine: Holder = {
      pid: process.pid,
      host: hostname(),
      began: await processBegan(process.pid),
      token: randomBytes(6).toString('hex'),
      since: new Date().toISOString(),
    };
    await take(path, mine, doing);
    return new BuildLock(path, mine.token);
  }

  /** Lets the next build begin. */
  async release(): Promise<void> {
    const holder = await readHolder(this.#path);
    if (holder?.token === this.#token) await removeQuietly(this.#path);
  }
}

/** @throws NighError LOCKED, IO */
async function take(path: string, mine: Holder, doing: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  await writeDurable(draft, JSON.stringify(mine));
  try {
    // A link appears whole or not at all, so nobody ever reads half a lock.
    for (;;) {
      const outcome = await linked(draft, path);
      if (outcome === 'made') return;
      // A build that just began has cleared the draft as one of a killed build.
      if (outcome === 'no draft') return take(path, mine, doing);
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if (await isAlive(holder)) {
        throw new NighError(
          'LOCKED',
          `Process ${holder.pid} on ${holder.host} is ${doing}${holder.since === undefined ? '' : ` since ${holder.since}`}. If it is not, remove ${path}.`,
        );
      }
      if (await succeed(path, holder, draft, mine, doing)) return;
    }
  } finally {
    await removeQuietly(draft);
  }
}

/** Replaces a stale lock; false if somebody else has done so before. @throws NighError LOCKED, IO */
async function succeed(path: string, stale: Holder, draft: string, mine: Holder, doing: string): Promise<boolean> {
  const succession = `${path}.${stale.token}`;
  await take(succession, mine, doing);
  try {
    if ((await readHolder(path))?.token !== stale.token) return false;
    await rename(draft, path);
    return true;
  } catch (cause) {
    if (cause instanceof NighError) throw cause;
    throw new NighError('IO', `${path}: a stale lock cannot be replaced: ${(cause as Error).message}`, { cause });
  } finally {
    await removeQuietly(succession);
  }
}

/** A lock that cannot be removed is stale once its process has ended, and a draft is cleared by the next build: neither fails what was done. */
async function removeQuietly(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

async function linked(from: string, to: string): Promise<'made' | 'taken' | 'no draft'> {
  try {
    await link(from, to);
    return 'made';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return 'taken';
    if (code === 'ENOENT') return 'no draft';
    throw new NighError('IO', `${to}: the lock cannot be made: ${(cause as Error).message}`, { cause });
  }
}

/** Undefined if there is no lock. @throws NighError FORMAT, IO */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (isPlainObject(value)) {
      const { pid, host, began, token, since } = value;
      if (Number.isSafeInteger(pid) && typeof host === 'string' && typeof token === 'string') {
        return {
          ...{ pid: pid as number, host, began: typeof began === 'string' ? began : null, token },
          ...(typeof since === 'string' ? { since } : {}),
        };
      }
    }
  } catch (cause) {
    const error = cause as NodeJS.ErrnoException;
    if (error.code === 'ENOENT') return undefined;
    if (!(cause instanceof SyntaxError)) throw new NighError('IO', `${path}: ${error.message}`, { cause });
  }
  throw new NighError('FORMAT', `${path}: not a lock of nigh. If no build is running, remove it.`);
}

async function isAlive({ pid, host, began }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    // EPERM: there is such a process, of somebody else.
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = await processBegan(pid);
  return began === null || now === null || began === now;
}

/** Boot and start time of a process on Linux, elsewhere null. */
async function processBegan(pid: number): Promise<string | null> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, which may hold anything; start time is the 22nd.
    const started = status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
    return started === undefined ? null : `${boot}:${started}`;
  } catch {
    // No /proc here: the process number alone has to do.
    return null;
  }
}
