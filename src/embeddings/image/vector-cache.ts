/**
 * Vectors of pictures by the pictures' content, kept from build to build in `<cache>/vectors/<fingerprint>.bin`: one file for each
 * model with its preprocessing, so that what one wrote the other never reads.
 *
 *   header   16 bytes   magic "nighvec\0", version (uint32), dimensions (uint32); little-endian
 *   record   32 bytes of sha256 of the picture's bytes; dimensions × float32; 8 bytes of sha256 of all that
 *
 * Records are appended, several in one write. A record whose checksum is wrong, or that a killed process left unfinished, is not
 * used: its picture is embedded again, and the file is written anew without it. Losing the file loses time only.
 */
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NighError } from '../../core/errors.js';
import { processMark } from '../../core/process-mark.js';
import { fileError } from '../../data/file-error.js';

const magic = 'nighvec\0';
const version = 1;
const headerBytes = 16;
const digestBytes = 32;
const checkBytes = 8;

export class VectorCache {
  /** By digest as latin1: the shortest string of 32 bytes. Values are views into the file's bytes. */
  readonly #vectors = new Map<string, Float32Array>();

  private constructor(
    readonly path: string,
    readonly dim: number,
    /** Records of the file that were damaged and not used. */
    readonly damaged: number,
  ) {}

  /**
   * Reads the file, or begins it.
   * @throws NighError IO
   */
  static async open(path: string, dim: number): Promise<VectorCache> {
    const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return undefined;
      throw fileError(path, cause);
    });
    const { records, damaged, whole } = bytes === undefined ? nothing : readRecords(bytes, dim);
    const cache = new VectorCache(path, dim, damaged);
    for (const { digest, vector } of records) cache.#vectors.set(digest, vector);
    if (!whole) await cache.#rewrite(records);
    return cache;
  }

  get(digest: Buffer): Float32Array | undefined {
    return this.#vectors.get(digest.toString('latin1'));
  }

  /**
   * Appends vectors, so that the next build finds them.
   * @throws NighError IO
   */
  async add(entries: readonly { readonly digest: Buffer; readonly vector: Float32Array }[]): Promise<void> {
    if (entries.length === 0) return;
    const records = entries.map(({ digest, vector }) => record(digest, vector));
    // One write, at the end of the file wherever that is by now: another build may be adding to it too.
    await appendFile(this.path, Buffer.concat(records)).catch((cause: unknown) => {
      throw fileError(this.path, cause);
    });
    for (const { digest, vector } of entries) this.#vectors.set(digest.toString('latin1'), vector);
  }

  async #rewrite(records: readonly CachedRecord[]): Promise<void> {
    const temporary = `${this.path}.${await processMark()}`;
    const all = records.map(({ digest, vector }) => record(Buffer.from(digest, 'latin1'), vector));
    try {
      await mkdir(dirname(this.path), { recursive: true });
      await writeFile(temporary, Buffer.concat([header(this.dim), ...all]));
      await rename(temporary, this.path);
    } catch (cause) {
      await rm(temporary, { force: true });
      throw fileError(this.path, cause);
    }
  }
}

interface CachedRecord {
  readonly digest: string;
  readonly vector: Float32Array;
}

const nothing = { records: [], damaged: 0, whole: false };

/** @returns `whole`: whether the file may be appended to as it is */
function readRecords(bytes: Buffer, dim: number): { records: CachedRecord[]; damaged: number; whole: boolean } {
  if (!bytes.subarray(0, headerBytes).equals(header(dim))) return { records: [], damaged: 1, whole: false };
  const size = digestBytes + dim * 4 + checkBytes;
  const records: CachedRecord[] = [];
  let damaged = 0;
  for (let at = headerBytes; at < bytes.length; at += size) {
    const content = bytes.subarray(at, at + size - checkBytes);
    if (at + size > bytes.length || !check(content).equals(bytes.subarray(at + size - checkBytes, at + size))) {
      damaged++;
      continue;
    }
    const vector = new Float32Array(dim);
    for (let d = 0; d < dim; d++) vector[d] = content.readFloatLE(digestBytes + d * 4);
    records.push({ digest: content.toString('latin1', 0, digestBytes), vector });
  }
  return { records, damaged, whole: damaged === 0 };
}

function header(dim: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.write(magic, 'latin1');
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(dim, 12);
  return bytes;
}

function record(digest: Buffer, vector: Float32Array): Buffer {
  if (digest.length !== digestBytes) throw new NighError('INTERNAL', `A digest of ${digest.length} bytes.`);
  const content = Buffer.alloc(digestBytes + vector.length * 4);
  digest.copy(content);
  for (const [d, value] of vector.entries()) content.writeFloatLE(value, digestBytes + d * 4);
  return Buffer.concat([content, check(content)]);
}

function check(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, checkBytes);
}
