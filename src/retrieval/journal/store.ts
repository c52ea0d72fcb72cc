/** The lmdb environment of a journal: opened, and what it says of a failure made readable. */
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { NighError, reasonOf } from '../../core/errors.js';
import { journalFile } from './data-file.js';
import { tryOpening } from './try-opening.js';

/** What a change is answered with. */
export interface Acknowledgement {
  /** The change's place in the order of all. */
  readonly sequence: number;
  /** Of a deletion: whether there was something to delete. */
  readonly existed?: boolean;
}

/** An open environment; journal.ts says what its parts hold. */
export interface Store {
  readonly root: RootDatabase<Buffer, string>;
  readonly entries: Database<Buffer, number>;
  readonly requests: Database<Acknowledgement, string>;
  readonly state: Database<number, string>;
  /** Whether a writer is told that it is read, and leaves alone what may be: not on a file system that cannot be written to. */
  readonly isListed: boolean;
}

/** @throws NighError IO */
export async function openStore(directory: string, write: boolean): Promise<Store> {
  try {
    if (write) await mkdir(directory, { recursive: true });
    // Readers open it alike, since one process can hold it in one way only; where they may not write to it, for reading.
    const readOnly = !write && !(await isWritable(join(directory, journalFile)));
    const isListed = await tryOpening(directory, readOnly);
    const { open } = await import('lmdb');
    const root = open<Buffer, string>({
      path: directory,
      encoding: 'binary',
      maxDbs: 4,
      overlappingSync: false,
      // Every commit is a batch of ours; of lmdb's own, nobody could handle a failure.
      eventTurnBatching: false,
      readOnly,
    });
    return {
      root,
      entries: root.openDB('entries', { encoding: 'binary', keyEncoding: 'uint32' }),
      requests: root.openDB('requests', { encoding: 'msgpack' }),
      state: root.openDB('state', { encoding: 'msgpack' }),
      isListed,
    };
  } catch (cause) {
    if (cause instanceof NighError) throw cause;
    throw new NighError('IO', `${directory}: the journal cannot be opened: ${reasonOf(cause)}`, { cause });
  }
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Bytes of its file in which anything lies. */
export function usedBytes({ root }: Store): number {
  const { lastPageNumber, pageSize } = root.getStats() as { lastPageNumber: number; pageSize: number };
  return (lastPageNumber + 1) * pageSize;
}

/**
 * All writes in one transaction, flushed when it resolves.
 * @param writes what lmdb promised of every change that it was given: where the commit fails, each of them is rejected
 * @throws what lmdb says
 */
export async function commit({ root }: Store, writes: () => readonly Promise<unknown>[]): Promise<void> {
  const promised: Promise<unknown>[] = [];
  const batch = root.batch(() => {
    promised.push(...writes());
  });
  const settled = await Promise.allSettled([batch, ...promised]);
  const failed = settled.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw await causeOf(failed.reason);
  await root.flushed;
}

/** Why a commit failed, which lmdb says in a second promise; nobody would ever handle its rejection. */
async function causeOf(failure: unknown): Promise<unknown> {
  const { commitError } = failure as { commitError?: Promise<never> };
  return commitError === undefined ? failure : commitError.catch((cause) => cause);
}
