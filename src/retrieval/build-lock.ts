/**
 * One build of a collection at a time, or one writer of a file: a lock is a file, `LOCK` in a collection, that names its holder and is made
 * exclusively.
 *
 * A lock is stale, and taken over, when its holder has ended for certain (core/process-mark.ts). One on another machine or in another
 * container, which shares the directory, cannot be asked and is believed.
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
import { hasEnded, processMark } from '../core/process-mark.js';
import { writeDurable } from './packed-file.js';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells it from every other process. */
  readonly mark: string;
  readonly token: string;
  /** What it does. */
  readonly doing: string;
  /** When it was taken. */
  readonly since: string;
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
   * @param doing what its holder does, as others are told who are refused
   * @throws NighError LOCKED naming the holder, IO
   */
  static async at(path: string, doing: string): Promise<BuildLock> {
    const mine: Holder = {
      pid: process.pid,
      host: hostname(),
      mark: await processMark(),
      token: randomBytes(6).toString('hex'),
      doing,
      since: new Date().toISOString(),
    };
    await take(path, mine);
    return new BuildLock(path, mine.token);
  }

  /** Lets the next build begin. */
  async release(): Promise<void> {
    const holder = await readHolder(this.#path);
    if (holder?.token === this.#token) await removeQuietly(this.#path);
  }
}

/** @throws NighError LOCKED, IO */
async function take(path: string, mine: Holder): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  await writeDurable(draft, JSON.stringify(mine));
  try {
    // A link appears whole or not at all, so nobody ever reads half a lock.
    for (;;) {
      const outcome = await linked(draft, path);
      if (outcome === 'made') return;
      // A build that just began has cleared the draft as one of a killed build.
      if (outcome === 'no draft') return take(path, mine);
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if (!(await hasEnded(holder.mark))) {
        throw new NighError(
          'LOCKED',
          `Process ${holder.pid} on ${holder.host} is ${holder.doing} since ${holder.since}. If it is not, remove ${path}.`,
        );
      }
      if (await succeed(path, holder, draft, mine)) return;
    }
  } finally {
    await removeQuietly(draft);
  }
}

/** Replaces a stale lock; false if somebody else has done so before. @throws NighError LOCKED, IO */
async function succeed(path: string, stale: Holder, draft: string, mine: Holder): Promise<boolean> {
  const succession = `${path}.${stale.token}`;
  await take(succession, mine);
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
      const { pid } = value;
      const text = (key: keyof Holder) => (typeof value[key] === 'string' ? value[key] : '');
      const holder = { pid: pid as number, host: text('host'), mark: text('mark'), token: text('token') };
      if (Number.isSafeInteger(pid) && holder.host !== '' && holder.token !== '')
        return { ...holder, doing: text('doing'), since: text('since') };
    }
  } catch (cause) {
    const error = cause as NodeJS.ErrnoException;
    if (error.code === 'ENOENT') return undefined;
    if (!(cause instanceof SyntaxError)) throw new NighError('IO', `${path}: ${error.message}`, { cause });
  }
  throw new NighError('FORMAT', `${path}: not a lock of nigh. If no build is running, remove it.`);
}
