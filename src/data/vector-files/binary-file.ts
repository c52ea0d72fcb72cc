/** What the binary formats share: reading and writing block by block, and what every matrix must be. */
import { type FileHandle, open } from 'node:fs/promises';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { findNotFinite, type Matrix } from '../../core/matrix.js';
import { fileError } from '../file-error.js';
import { ByteMeter, type FetchContext } from '../load-context.js';

const blockBytes = 4 << 20;

/** A file that is read from its beginning; a block of it is in memory. */
export class BinaryReader {
  #at = 0;

  private constructor(
    readonly path: string,
    readonly size: number,
    private readonly file: FileHandle,
    private readonly meter: ByteMeter,
    private readonly context: FetchContext,
  ) {}

  /** Opens, reads and closes. @throws NighError NOT_FOUND, IO, TRUNCATED, ABORTED, and what `read` throws */
  static async use<T>(path: string, context: FetchContext, read: (reader: BinaryReader) => Promise<T>): Promise<T> {
    try {
      const file = await open(path);
      try {
        const { size } = await file.stat();
        const meter = new ByteMeter(context, 'read', path, size);
        const result = await read(new BinaryReader(path, size, file, meter, context));
        meter.finish();
        return result;
      } finally {
        await file.close();
      }
    } catch (error) {
      throw fileError(path, error);
    }
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.size - this.#at;
  }

  /** The next bytes, in memory of their own. @throws NighError TRUNCATED */
  async take(bytes: number): Promise<Buffer> {
    const block = Buffer.alloc(Math.min(bytes, this.left));
    await this.#fill(block, bytes);
    return block;
  }

  /**
   * The next `count` records of `bytes` each, as many at a time as fit a block (at least one). A block is good until the next.
   * @throws NighError TRUNCATED, ABORTED
   */
  async *records(count: number, bytes: number): AsyncGenerator<{ first: number; count: number; block: Buffer }> {
    const perBlock = Math.max(1, Math.min(count, Math.floor(blockBytes / Math.max(1, bytes))));
    const buffer = Buffer.from(new ArrayBuffer(perBlock * bytes));
    for (let first = 0; first < count; first += perBlock) {
      throwIfAborted(this.context.signal);
      const records = Math.min(perBlock, count - first);
      const block = buffer.subarray(0, records * bytes);
      await this.#fill(block, block.length);
      yield { first, count: records, block };
    }
  }

  async #fill(block: Buffer, wanted: number): Promise<void> {
    let filled = 0;
    while (filled < block.length) {
      const { bytesRead } = await this.file.read(block, filled, block.length - filled, this.#at);
      if (bytesRead === 0) break;
      filled += bytesRead;
      this.#at += bytesRead;
      this.meter.add(bytesRead);
    }
    if (filled < wanted) {
      throw new NighError(
        'TRUNCATED',
        `${this.path}: the file ends after ${this.#at} bytes, in the middle of its content.`,
      );
    }
  }
}

/** Writes pieces through one buffer. @throws NighError ABORTED, and what `pieces` and the file system throw */
export async function writePieces(path: string, pieces: Iterable<Buffer>, context: FetchContext): Promise<void> {
  const file = await open(path, 'w');
  try {
    let pending: Buffer[] = [];
    let bytes = 0;
    const flush = async () => {
      throwIfAborted(context.signal);
      const block = Buffer.concat(pending);
      pending = [];
      bytes = 0;
      for (let at = 0; at < block.length; ) at += (await file.write(block, at)).bytesWritten;
    };
    for (const piece of pieces) {
      pending.push(piece);
      bytes += piece.length;
      if (bytes >= blockBytes) await flush();
    }
    await flush();
  } finally {
    await file.close();
  }
}

/** A zeroed matrix for what a file says it holds. @throws NighError FORMAT, OUT_OF_MEMORY */
export function matrixFor(path: string, rows: number, dim: number): Matrix {
  if (!Number.isSafeInteger(rows * dim) || dim < 1 || dim > 1 << 20) {
    throw new NighError('FORMAT', `${path}: expected vectors of 1 to ${1 << 20} values, got ${rows} of ${dim}.`);
  }
  try {
    return { data: new Float32Array(rows * dim), rows, dim };
  } catch (cause) {
    throw new NighError('OUT_OF_MEMORY', `${path}: ${rows} × ${dim} values do not fit into memory.`, { cause });
  }
}

/** @throws NighError NOT_FINITE naming file, row and column */
export function requireFiniteRows(path: string, { data, dim }: Matrix): void {
  const at = findNotFinite(data);
  if (at < 0) return;
  throw new NighError(
    'NOT_FINITE',
    `${path}: row ${Math.floor(at / dim)}, column ${at % dim} is ${data[at]}, expected a finite number.`,
  );
}
