import type { ErrorCode } from '../../core/errors.js';
import type { Change, Changed } from '../changes/change.js';

/** What a worker and the process that watches over it say to each other. */
export type Message =
  /** Watcher → worker: drain and exit. Not a signal, which a terminal's Ctrl-C may have sent already: a second one does not wait. */
  | { readonly nigh: 'stop' }
  /** Worker → watcher → the other workers: look at CURRENT now. */
  | { readonly nigh: 'reload' }
  /** Worker → watcher: what have all measured? Watcher → worker: this. */
  | { readonly nigh: 'ask-metrics'; readonly id: number }
  | { readonly nigh: 'metrics'; readonly id: number; readonly text: string }
  /** Watcher → worker: what have you measured? Worker → watcher: this. */
  | { readonly nigh: 'ask-own-metrics'; readonly id: number }
  | { readonly nigh: 'own-metrics'; readonly id: number; readonly json: unknown }
  /** Worker → watcher → the worker that writes: make this change. And the way back: this is what it did, or why it was not made. */
  | ChangeMessage
  | ChangedMessage;

export interface ChangeMessage {
  readonly nigh: 'change';
  readonly id: number;
  readonly collection: string;
  readonly change: Change;
  readonly requestId?: string;
}

export type ChangedMessage = { readonly nigh: 'changed'; readonly id: number } & (
  | { readonly changed: Changed }
  | { readonly refusal: { readonly code: ErrorCode; readonly message: string } }
);

/** Whether a message is one of ours: Node and other modules send theirs through the same channel. */
export function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'nigh' in value;
}
