/** Of several processes one writes: what the others are told to change goes to it through the process that watches over all. */
import type { Worker } from 'node:cluster';
import { describe, NighError } from '../../core/errors.js';
import type { Change, Changed, Changes } from '../changes/change.js';
import type { Reloader } from '../reloader.js';
import type { ServedCollections } from '../served-collections.js';
import type { ChangedMessage, ChangeMessage } from './messages.js';

/** Set for the worker that writes. */
const variable = 'NIGH_WORKER_WRITES';

export const writerEnvironment = { [variable]: '1' } as const;

/** Whether this worker is the one that writes. */
export function isWriter(): boolean {
  return process.env[variable] === '1';
}

/** In a worker that does not write: sends changes on, and applies what came of them before it answers. */
export class ForwardedChanges implements Changes {
  readonly #collections: ServedCollections;
  readonly #reloader: Reloader;
  readonly #send: (message: ChangeMessage) => void;
  readonly #waiting = new Map<number, (message: ChangedMessage) => void>();
  #next = 0;

  constructor(collections: ServedCollections, reloader: Reloader, send: (message: ChangeMessage) => void) {
    this.#collections = collections;
    this.#reloader = reloader;
    this.#send = send;
  }

  async apply(collection: string, change: Change, requestId: string | undefined): Promise<Changed> {
    this.#collections.get(collection);
    const id = this.#next++;
    const answered = new Promise<ChangedMessage>((resolve) => this.#waiting.set(id, resolve));
    this.#send({ nigh: 'change', id, collection, change, ...(requestId === undefined ? {} : { requestId }) });
    const message = await answered;
    if ('refusal' in message) throw new NighError(message.refusal.code, message.refusal.message);
    if (change.kind === 'compact') await this.#reloader.reload(collection);
    else await this.#collections.use(collection, async (each) => each.catchUp?.(message.changed.sequence));
    return message.changed;
  }

  /** The watcher's answer. */
  answered(message: ChangedMessage): void {
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }
}

/** In the worker that writes: makes a change that another was asked for. */
export async function makeForwarded(changes: Changes, message: ChangeMessage): Promise<ChangedMessage> {
  const { id, collection, change, requestId } = message;
  try {
    return { nigh: 'changed', id, changed: await changes.apply(collection, change, requestId) };
  } catch (error) {
    const code = error instanceof NighError ? error.code : 'INTERNAL';
    return {
      nigh: 'changed',
      id,
      refusal: { code, message: error instanceof Error ? error.message : describe(error) },
    };
  }
}

interface Passed {
  readonly from: Worker;
  /** What it is called there. */
  readonly id: number;
}

/** In the watcher: passes changes on to the worker that writes, and what came of them back. */
export class ChangePost {
  readonly #passed = new Map<number, Passed>();
  #writer: Worker | undefined;
  #next = 0;

  /** The worker that writes from now on; undefined while there is none, which ends what the last one left undone. */
  set writer(worker: Worker | undefined) {
    this.#writer = worker;
    if (worker !== undefined) return;
    for (const id of [...this.#passed.keys()]) this.#answer(id, absent(id));
  }

  pass(from: Worker, message: ChangeMessage): void {
    const id = this.#next++;
    this.#passed.set(id, { from, id: message.id });
    if (this.#writer?.isConnected() === true) this.#writer.send({ ...message, id } satisfies ChangeMessage);
    else this.#answer(id, absent(id));
  }

  passBack(message: ChangedMessage): void {
    this.#answer(message.id, message);
  }

  #answer(id: number, message: ChangedMessage): void {
    const passed = this.#passed.get(id);
    this.#passed.delete(id);
    if (passed?.from.isConnected() === true) passed.from.send({ ...message, id: passed.id } satisfies ChangedMessage);
  }
}

function absent(id: number): ChangedMessage {
  const message =
    'The process that writes has ended, and another takes its place. Whether the change was made is not known: send it again under the same Idempotency-Key.';
  return { nigh: 'changed', id, refusal: { code: 'NOT_READY', message } };
}
