/**
 * The vectors of an index file whose other parts are damaged. Every section has a checksum of its own (native/format/FORMAT.md): where
 * those of ids and rows are right the vectors are what was written, and an index can be built from them again.
 */
import { open } from 'node:fs/promises';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { inspectIndex } from './inspect-index.js';
import type { MetricName } from './vector-index.js';

export interface SalvagedVectors {
  readonly kind: 'flat' | 'hnsw';
  readonly metric: MetricName;
  readonly matrix: Matrix;
  readonly ids: Uint32Array;
}

const headerBytes = 64;
const tableEntryBytes = 32;

interface Section {
  readonly offset: number;
  readonly bytes: number;
  readonly crc: number;
}

/**
 * Reads ids and vectors, and nothing else, of an index file of float32 vectors.
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, VERSION_UNSUPPORTED, CHECKSUM_MISMATCH where header, ids or vectors are damaged
 * themselves, UNSUPPORTED for kinds that keep no plain vectors
 */
export async function salvageVectors(path: string): Promise<SalvagedVectors> {
  const { kind, metric, dim, count } = await inspectIndex(path);
  if ((kind !== 'flat' && kind !== 'hnsw') || metric === 'hamming' || metric === 'jaccard') {
    throw new NighError(
      'UNSUPPORTED',
      `${path}: an index of kind ${kind} under ${metric} keeps no float32 vectors of its own.`,
    );
  }
  const file = await open(path, 'r');
  try {
    const sections = await readTable(file, path);
    // Under inner product a row of an hnsw index ends with the inverse of its length.
    const width = kind === 'hnsw' && metric === 'ip' ? dim + 1 : dim;
    const ids = new Uint32Array(await readSection(file, path, sections, 'ids', 4 * count));
    const rows = new Float32Array(await readSection(file, path, sections, 'rows', 4 * count * width));
    return { kind, metric, ids, matrix: { data: withoutLast(rows, count, width, dim), rows: count, dim } };
  } catch (cause) {
    if (cause instanceof NighError) throw cause;
    throw new NighError('IO', `${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await file.close();
  }
}

type File = Awaited<ReturnType<typeof open>>;

async function readBytes(file: File, path: string, offset: number, bytes: number): Promise<Buffer<ArrayBuffer>> {
  const buffer = Buffer.from(new ArrayBuffer(bytes));
  for (let done = 0; done < bytes; ) {
    const { bytesRead } = await file.read(buffer, done, Math.min(bytes - done, 1 << 24), offset + done);
    if (bytesRead === 0) throw new NighError('TRUNCATED', `${path}: ends at ${offset + done}.`);
    done += bytesRead;
  }
  return buffer;
}

/** The header was checked before, with its checksum, which covers the table. */
async function readTable(file: File, path: string): Promise<ReadonlyMap<string, Section>> {
  const count = (await readBytes(file, path, 0, headerBytes)).readUInt32LE(12);
  const table = await readBytes(file, path, headerBytes, count * tableEntryBytes);
  return new Map(
    Array.from({ length: count }, (_, i): [string, Section] => {
      const entry = table.subarray(i * tableEntryBytes, (i + 1) * tableEntryBytes);
      const tag = entry.toString('latin1', 0, 8).replace(/\0+$/, '');
      const offset = Number(entry.readBigUInt64LE(8));
      return [tag, { offset, bytes: Number(entry.readBigUInt64LE(16)), crc: entry.readUInt32LE(24) }];
    }),
  );
}

async function readSection(
  file: File,
  path: string,
  sections: ReadonlyMap<string, Section>,
  tag: string,
  expected: number,
): Promise<ArrayBuffer> {
  const section = sections.get(tag);
  if (section === undefined || section.bytes !== expected) {
    throw new NighError('FORMAT', `${path}: expected a section ${tag} of ${expected} bytes.`);
  }
  const content = await readBytes(file, path, section.offset, section.bytes);
  if (crc32c(content) !== section.crc) throw new NighError('CHECKSUM_MISMATCH', `${path}: section ${tag} was altered.`);
  return content.buffer;
}

function withoutLast(rows: Float32Array, count: number, width: number, dim: number): Float32Array {
  if (width === dim) return rows;
  const data = new Float32Array(count * dim);
  for (let r = 0; r < count; r++) data.set(rows.subarray(r * width, r * width + dim), r * dim);
  return data;
}

let table: Uint32Array | undefined;

/** CRC-32C (Castagnoli), reflected; of "123456789" it is 0xE3069283. */
export function crc32c(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) === 1 ? 0x82f63b78 : 0);
    return value;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
