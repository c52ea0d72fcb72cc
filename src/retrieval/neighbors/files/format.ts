/** What writes the neighbours of everybody in one kind of file. */
import type { NeighborBlock } from '../block.js';
import type { Neighbors } from '../neighbors.js';

/** Bytes to be appended to one of the files. */
export interface Piece {
  /** A position in the format's `files`. */
  readonly file: number;
  /** Good until the next piece is asked for. */
  readonly bytes: Uint8Array;
}

/** Turns the blocks of one pass into bytes, in their order: the same blocks always give the same bytes. */
export interface Encoder {
  /** What stands before the first block. */
  begin(): Iterable<Piece>;
  encode(block: NeighborBlock): Iterable<Piece>;
  /** What `restore` needs to know of the last block, where the bytes alone do not say it. */
  readonly state?: string | undefined;
  /**
   * Goes on behind blocks that were written before, instead of `begin`.
   * @param ends how long each file is
   * @param states the state after each block, in their order
   * @throws NighError FORMAT
   */
  restore(ends: readonly number[], states: readonly (string | undefined)[]): void;
  /** What stands behind the last block. */
  finish(): Iterable<Piece>;
}

/** One implementation a file; all are listed in registry.ts. */
export interface NeighborFormat {
  readonly name: string;
  /** Endings of file names, with the dot. */
  readonly endings: readonly string[];
  /** Whether it may be read while it is written: then it can go to a pipe. */
  readonly streams: boolean;
  /** The files that make up one of this name, itself first. */
  files(path: string): readonly string[];
  encoder(pass: Neighbors): Promise<Encoder>;
}
