/**
 * What the journal holds: changes as they were settled, complete in themselves, so that to apply one takes no embedder and gives the same in
 * every process. Stored with msgpackr behind the first eight bytes of their SHA-256.
 */
import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import { NighError } from '../../core/errors.js';
import { isPlainObject } from '../../core/params.js';
import type { AttributeValue } from '../types.js';

/** An item in one space. */
export interface StoredPlacement {
  readonly similar: Float32Array;
  readonly recommend?: Float32Array;
  /** It was given, and no embedder made it. */
  readonly given?: boolean;
}

export interface UpsertChange {
  readonly type: 'upsert';
  readonly id: string;
  readonly title: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The generation that fitted the embedders: under another its vectors mean nothing, and are made anew but for those that were given. */
  readonly fit: string;
  /** By space: its vectors, or `kept` where those that the generation has of it hold. Absent where it has none. */
  readonly spaces: Readonly<Record<string, StoredPlacement | 'kept'>>;
}

export interface DeleteChange {
  readonly type: 'delete';
  readonly id: string;
}

export interface InteractionEvent {
  readonly user: string;
  readonly item: string;
  readonly value: number;
  readonly timestamp?: number;
}

export interface InteractionsChange {
  readonly type: 'interactions';
  readonly events: readonly InteractionEvent[];
}

export interface ForgetChange {
  readonly type: 'forget';
  readonly user: string;
}

export type Change = UpsertChange | DeleteChange | InteractionsChange | ForgetChange;

/** A change with its place in the order of all. */
export interface Entry {
  readonly sequence: number;
  readonly change: Change;
}

const packr = new Packr({ moreTypes: true, useRecords: false });
const digestBytes = 8;

export function packEntry(change: Change): Buffer {
  const packed = packr.pack(change);
  return Buffer.concat([digestOf(packed), packed]);
}

/** @throws NighError CHECKSUM_MISMATCH, FORMAT */
export function unpackEntry(sequence: number, stored: Uint8Array, place: string): Entry {
  const packed = stored.subarray(digestBytes);
  if (stored.length <= digestBytes || !digestOf(packed).equals(stored.subarray(0, digestBytes))) {
    throw new NighError('CHECKSUM_MISMATCH', `${place}: the change ${sequence} is not what was written.`);
  }
  const change: unknown = packr.unpack(packed);
  if (!isChange(change)) {
    throw new NighError('FORMAT', `${place}: the change ${sequence} is of no kind that this release knows.`);
  }
  return { sequence, change };
}

function digestOf(packed: Uint8Array): Buffer {
  return createHash('sha256').update(packed).digest().subarray(0, digestBytes);
}

const types: readonly unknown[] = ['upsert', 'delete', 'interactions', 'forget'];

function isChange(value: unknown): value is Change {
  return isPlainObject(value) && types.includes(value.type);
}
