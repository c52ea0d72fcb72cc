/**
 * The file of an index of kind `hnswlib`: hnswlib's own file inside a container that can be checked before hnswlib
 * reads it.
 *
 *   0    magic "nighlib\n"
 *   8    version (u32, 1), bytes of the description (u32)
 *   16   SHA-256 of the 16 bytes before and of the description
 *   48   description, JSON: metric, dim, count, M, efConstruction, seed, ids, graph; the last two { bytes, sha256 }
 *   …    ids: count × u32 in the order of hnswlib's labels, or nothing for 0 … count − 1
 *   …    hnswlib's own file, or nothing for an empty index
 *
 * Numbers are little-endian. The graph holds the vectors, so they stand in the file once.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rename, rm, stat } from 'node:fs/promises';
import { endianness, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { NighError, reasonOf } from '../core/errors.js';
import { isPlainObject } from '../core/params.js';
import { containerMagic } from './hnswlib-magic.js';
import { isProductMetric, type MetricName } from './vector-index.js';

const version = 1;
const fixedBytes = 48;
const maxDescriptionBytes = 4096;

interface Part {
  readonly bytes: number;
  readonly sha256: string;
}

export interface HnswlibParams {
  readonly metric: MetricName;
  readonly dim: number;
  readonly count: number;
  readonly M: number;
  readonly efConstruction: number;
  readonly seed: number;
}

interface Description extends HnswlibParams {
  readonly ids: Part;
  readonly graph: Part;
}

export interface Container extends Description {
  readonly version: number;
  readonly fileBytes: number;
  /** Where the ids begin. */
  readonly bodyOffset: number;
}

/**
 * Writes a container, which appears whole or not at all. `graph` is the path of hnswlib's file, null for an empty
 * index.
 * @throws NighError IO
 */
export async function writeContainer(
  path: string,
  params: HnswlibParams,
  ids: Uint32Array | null,
  graph: string | null,
): Promise<void> {
  const idBytes = littleEndianBytes(ids ?? new Uint32Array());
  const description: Description = {
    ...params,
    ids: { bytes: idBytes.length, sha256: createHash('sha256').update(idBytes).digest('hex') },
    graph: graph === null ? { bytes: 0, sha256: createHash('sha256').digest('hex') } : await describeFile(graph),
  };
  const temporary = `${path}.${process.pid}.${Date.now().toString(36)}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(header(description));
      await file.writeFile(idBytes);
      if (graph !== null) {
        for await (const chunk of createReadStream(graph, { highWaterMark: 1 << 20 })) await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw ioError(path, 'cannot be written', cause);
  }
}

/**
 * Reads and checks the description and the file's length; nothing else is read.
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH, VERSION_UNSUPPORTED
 */
export async function readContainer(path: string): Promise<Container> {
  const file = await openForReading(path);
  try {
    const { size } = await file.stat();
    const fixed = await readAt(file, path, 0, fixedBytes, size);
    if (fixed.toString('latin1', 0, 8) !== containerMagic) {
      throw new NighError('FORMAT', `${path}: not a file of an hnswlib index.`);
    }
    const found = fixed.readUInt32LE(8);
    if (found !== version) {
      throw new NighError(
        'VERSION_UNSUPPORTED',
        `${path}: container version ${found}; this release reads version ${version}.`,
      );
    }
    const bytes = fixed.readUInt32LE(12);
    if (bytes > maxDescriptionBytes) throw new NighError('FORMAT', `${path}: the description is too long.`);
    const text = await readAt(file, path, fixedBytes, bytes, size);
    const digest = createHash('sha256').update(fixed.subarray(0, 16)).update(text).digest();
    if (!digest.equals(fixed.subarray(16, fixedBytes))) {
      throw new NighError('CHECKSUM_MISMATCH', `${path}: the header was altered.`);
    }
    const description = parseDescription(path, text.toString('utf8'));
    const bodyOffset = fixedBytes + bytes;
    const expected = bodyOffset + description.ids.bytes + description.graph.bytes;
    if (size !== expected) throw new NighError('TRUNCATED', `${path}: expected ${expected} bytes, got ${size}.`);
    return { ...description, version, fileBytes: size, bodyOffset };
  } finally {
    await file.close();
  }
}

/**
 * The ids, checked, in shared memory; null where they are 0 … count − 1.
 * @throws NighError IO, TRUNCATED, CHECKSUM_MISMATCH
 */
export async function readIds(path: string, container: Container): Promise<Uint32Array | null> {
  if (container.ids.bytes === 0) return null;
  const file = await openForReading(path);
  try {
    const bytes = await readAt(file, path, container.bodyOffset, container.ids.bytes, container.fileBytes);
    requireDigest(path, 'ids', createHash('sha256').update(bytes).digest('hex'), container.ids);
    const ids = new Uint32Array(new SharedArrayBuffer(bytes.length));
    for (let i = 0; i < ids.length; i++) ids[i] = bytes.readUInt32LE(i * 4);
    return ids;
  } finally {
    await file.close();
  }
}

/**
 * Copies hnswlib's own file out of the container, checked.
 * @throws NighError IO, TRUNCATED, CHECKSUM_MISMATCH
 */
export async function extractGraph(path: string, container: Container, to: string): Promise<void> {
  const start = container.bodyOffset + container.ids.bytes;
  const hash = createHash('sha256');
  try {
    const file = await open(to, 'wx');
    try {
      for await (const chunk of createReadStream(path, {
        start,
        end: start + container.graph.bytes - 1,
        highWaterMark: 1 << 20,
      })) {
        hash.update(chunk);
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw ioError(path, 'cannot be read', cause);
  }
  requireDigest(path, 'graph', hash.digest('hex'), container.graph);
}

/** Runs `use` with a fresh directory for hnswlib's files, which it reads and writes by name only. */
export async function withTemporaryDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'nigh-')).catch((cause) => {
    throw ioError(tmpdir(), 'cannot hold a temporary directory', cause);
  });
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function header(description: Description): Buffer {
  const text = Buffer.from(JSON.stringify(description), 'utf8');
  const out = Buffer.alloc(fixedBytes + text.length);
  out.write(containerMagic, 0, 'latin1');
  out.writeUInt32LE(version, 8);
  out.writeUInt32LE(text.length, 12);
  text.copy(out, fixedBytes);
  createHash('sha256').update(out.subarray(0, 16)).update(text).digest().copy(out, 16);
  return out;
}

function parseDescription(path: string, text: string): Description {
  const wrong = (what: string) => new NighError('FORMAT', `${path}: the description has ${what}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new NighError('FORMAT', `${path}: the description is not JSON.`, { cause });
  }
  if (!isPlainObject(value)) throw wrong('no keys');
  const whole = (key: string, min: number, max: number): number => {
    const found = value[key];
    if (typeof found !== 'number' || !Number.isInteger(found) || found < min || found > max)
      throw wrong(`no valid ${key}`);
    return found;
  };
  const part = (key: string): Part => {
    const found = value[key];
    if (!isPlainObject(found)) throw wrong(`no valid ${key}`);
    const { bytes, sha256 } = found;
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0 || typeof sha256 !== 'string') {
      throw wrong(`no valid ${key}`);
    }
    return { bytes, sha256 };
  };
  const { metric } = value;
  if (!isProductMetric(metric)) throw wrong('no valid metric');
  const count = whole('count', 0, 0xfffffffe);
  const ids = part('ids');
  if (ids.bytes !== 0 && ids.bytes !== count * 4) throw wrong('another number of ids than vectors');
  return {
    metric,
    dim: whole('dim', 1, 65536),
    count,
    M: whole('M', 2, 256),
    efConstruction: whole('efConstruction', 1, 100_000),
    seed: whole('seed', 0, 0xffffffff),
    ids,
    graph: part('graph'),
  };
}

async function describeFile(path: string): Promise<Part> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
    return { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
  } catch (cause) {
    throw ioError(path, 'cannot be read', cause);
  }
}

function requireDigest(path: string, what: string, found: string, { sha256 }: Part): void {
  if (found !== sha256) throw new NighError('CHECKSUM_MISMATCH', `${path}: the ${what} were altered.`);
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw ioError(path, 'cannot be opened', cause);
  }
}

async function readAt(file: FileHandle, path: string, offset: number, bytes: number, size: number): Promise<Buffer> {
  if (offset + bytes > size) {
    throw new NighError('TRUNCATED', `${path}: expected at least ${offset + bytes} bytes, got ${size}.`);
  }
  const out = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(out, filled, bytes - filled, offset + filled).catch((cause) => {
      throw ioError(path, 'cannot be read', cause);
    });
    if (bytesRead === 0) throw new NighError('TRUNCATED', `${path}: the file ended while it was read.`);
    filled += bytesRead;
  }
  return out;
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return; // directories cannot be opened there
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function littleEndianBytes(values: Uint32Array): Buffer {
  const out = Buffer.from(values.slice().buffer);
  return endianness() === 'LE' ? out : out.swap32();
}

function ioError(path: string, what: string, cause: unknown): NighError {
  if (cause instanceof NighError) return cause;
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return new NighError(missing ? 'NOT_FOUND' : 'IO', `${path}: ${what} (${reasonOf(cause)}).`, { cause });
}
