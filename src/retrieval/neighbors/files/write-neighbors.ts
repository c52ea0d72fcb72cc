/** The neighbours of everybody into files, or into a pipe. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { NighError } from '../../../core/errors.js';
import { checked, flag, optional, readParams, text } from '../../../core/params.js';
import { BuildLock } from '../../build-lock.js';
import type { Neighbors } from '../neighbors.js';
import { PartialFiles } from './checkpoint.js';
import type { Encoder } from './format.js';
import { neighborFormatOf } from './registry.js';

export interface WriteNeighborsOptions {
  /** `parquet`, `jsonl`, `csv` or `npy`. Default: by the ending of the path. */
  readonly format?: string;
  /** Begin anew even where part of the same pass is there. Default false: go on behind it. */
  readonly restart?: boolean;
  /** Called before the first block, and after each with the rows that are written. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was written. */
export interface WrittenNeighbors {
  readonly format: string;
  /** The file, and those that belong to it. */
  readonly paths: readonly string[];
  readonly fileBytes: number;
  /** Items or users. */
  readonly rows: number;
  /** Of all rows together. */
  readonly neighbors: number;
  /** How many rows were there from a pass that was stopped. */
  readonly resumedAt: number;
  /** Whether part of another pass was there, which is gone. */
  readonly discarded: boolean;
  readonly generation: string;
}

type ProgressCallback = NonNullable<WriteNeighborsOptions['onProgress']>;

const optionsSchema = {
  format: optional(text()),
  restart: flag({ default: false }),
  onProgress: optional(checked('a function', (value): value is ProgressCallback => typeof value === 'function')),
};

/**
 * Writes a pass to files, which appear whole or not at all. Where the process is killed or the pass aborted, `<path>.partial` and
 * `<path>.progress` stay, and the next call for the same pass goes on behind what they hold: the files come out byte for byte as if nothing had
 * happened. What they hold of another pass (another generation, question or shard) is discarded. One process at a time writes to a path.
 *
 * ```ts
 * await writeNeighbors(movies.neighbors({ k: 50 }), 'neighbors.parquet');
 * ```
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, LOCKED, NOT_FOUND where the directory is missing, IO, ABORTED, CLOSED, OUT_OF_MEMORY
 */
export async function writeNeighbors(
  pass: Neighbors,
  path: string,
  options: WriteNeighborsOptions = {},
): Promise<WrittenNeighbors> {
  const { format: name, restart, onProgress } = readParams(optionsSchema, options, '');
  const format = neighborFormatOf(path, name);
  const paths = format.files(path);
  const lock = await lockOf(path);
  try {
    const fingerprint = createHash('sha256').update(`${format.name} ${pass.fingerprint}`).digest('hex');
    const { files, found } = await PartialFiles.open(paths, fingerprint, restart);
    const last = found.parts.at(-1);
    const written = { rows: last?.rows ?? 0, neighbors: last?.neighbors ?? 0 };
    if (files !== undefined) {
      try {
        const encoder = await format.encoder(pass);
        if (last === undefined) await files.add(encoder.begin(), { rows: 0, neighbors: 0 });
        else
          encoder.restore(
            last.ends,
            found.parts.map(({ state }) => state),
          );
        await write(pass, encoder, files, written, onProgress);
      } finally {
        await files.close();
      }
    }
    const sizes = await Promise.all(paths.map(async (file) => (await stat(file)).size));
    return {
      format: format.name,
      paths,
      fileBytes: sizes.reduce((sum, size) => sum + size, 0),
      ...written,
      resumedAt: last?.rows ?? 0,
      discarded: found.discarded,
      generation: pass.generation,
    };
  } finally {
    await lock.release();
  }
}

async function write(
  pass: Neighbors,
  encoder: Encoder,
  files: PartialFiles,
  written: { rows: number; neighbors: number },
  onProgress: ProgressCallback | undefined,
): Promise<void> {
  onProgress?.(written.rows, pass.rows);
  for await (const block of pass.from(written.rows)) {
    written.rows += block.size;
    for (const count of block.counts) written.neighbors += count;
    const pieces = encoder.encode(block);
    await files.add(pieces, {
      ...written,
      get state() {
        return encoder.state;
      },
    });
    onProgress?.(written.rows, pass.rows);
  }
  await files.finish(encoder.finish());
}

/**
 * Writes a pass as one stream, for a pipe: nothing is kept of it, so it cannot be gone on with.
 * @param send gets the bytes in their order, and resolves when it wants more
 * @throws NighError UNSUPPORTED for a format that is no stream, INVALID_ARGUMENT, ABORTED, CLOSED, and what `send` throws
 */
export async function streamNeighbors(
  pass: Neighbors,
  name: string,
  send: (bytes: Uint8Array) => Promise<void>,
  onProgress?: ProgressCallback,
): Promise<void> {
  const format = neighborFormatOf('', name);
  if (!format.streams) {
    throw new NighError('UNSUPPORTED', `${format.name} cannot be read from a pipe; jsonl and csv can.`);
  }
  const encoder = await format.encoder(pass);
  for (const { bytes } of encoder.begin()) await send(bytes);
  onProgress?.(0, pass.rows);
  for await (const block of pass) {
    for (const { bytes } of encoder.encode(block)) await send(bytes);
    onProgress?.(block.first + block.size, pass.rows);
  }
  for (const { bytes } of encoder.finish()) await send(bytes);
}

async function lockOf(path: string): Promise<BuildLock> {
  if (typeof path !== 'string' || path === '') throw new NighError('INVALID_ARGUMENT', 'path: expected a file path.');
  try {
    return await BuildLock.at(`${path}.lock`, `writing ${path}`);
  } catch (cause) {
    const isMissing =
      cause instanceof NighError && (cause.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
    if (isMissing) throw new NighError('NOT_FOUND', `${path}: there is no such directory.`, { cause });
    throw cause;
  }
}
