// @ts-check
// The file that hnswlib writes, read with suspicion: hnswlib follows whatever stands in it, and a wrong number ends the
// process.
//
//   header    96 bytes: offsetLevel0, maxElements, count, bytesPerElement, labelOffset, dataOffset (u64 each),
//             maxLevel (i32), entry (u32), maxM, maxM0, M (u64 each), mult (f64), efConstruction (u64)
//   level 0   count elements: number of links (u16), deleted mark (u8), unused (u8), maxM0 links (u32), dim × f32,
//             label (u64)
//   upper     count lists: bytes (u32), then for every level from 1: number of links (u16), unused (u16), maxM links
//             (u32)
import { fstatSync, readSync } from 'node:fs';

const headerBytes = 96;
const blockBytes = 4 << 20;

class GraphFileFailure extends Error {
  /** @param {string} what */
  constructor(what) {
    super(`hnswlib graph: ${what}.`);
    this.code = 'FORMAT';
  }
}

/**
 * Checks everything that a search or a later load relies on, and gives the rows, count × dim, in shared memory. The
 * labels must be 0 … count − 1 in order, as this package writes them.
 * @param {number} file an open descriptor
 * @param {{ count: number, dim: number, M: number }} expected
 * @returns {Float32Array<SharedArrayBuffer>}
 */
export function readGraphFile(file, { count, dim, M }) {
  const reader = new BlockReader(file);
  const { maxLevel, entry } = readHeader(reader.take(headerBytes), { count, dim, M });
  const rows = readLevel0(reader, { count, dim, M });
  const levels = readUpperLevels(reader, { count, M, maxLevel });
  if (reader.left !== 0) throw new GraphFileFailure('the file is longer than its content');
  if (levels[entry] !== maxLevel) throw new GraphFileFailure('the entry point is not on the top level');
  return rows;
}

/**
 * @param {Buffer} header
 * @param {{ count: number, dim: number, M: number }} expected
 */
function readHeader(header, { count, dim, M }) {
  const linksBytes = 2 * M * 4 + 4;
  const fields = /** @type {const} */ ([
    ['offsetLevel0', 0, 0],
    ['maxElements', 8, count],
    ['count', 16, count],
    ['bytesPerElement', 24, linksBytes + dim * 4 + 8],
    ['labelOffset', 32, linksBytes + dim * 4],
    ['dataOffset', 40, linksBytes],
    ['maxM', 56, M],
    ['maxM0', 64, 2 * M],
    ['M', 72, M],
  ]);
  for (const [name, offset, expected] of fields) {
    if (header.readBigUInt64LE(offset) !== BigInt(expected))
      throw new GraphFileFailure(`${name} should be ${expected}`);
  }
  const maxLevel = header.readInt32LE(48);
  const entry = header.readUInt32LE(52);
  if (maxLevel < 0 || maxLevel > 255 || entry >= count) throw new GraphFileFailure('the entry point is out of range');
  return { maxLevel, entry };
}

/**
 * @param {BlockReader} reader
 * @param {{ count: number, dim: number, M: number }} expected
 */
function readLevel0(reader, { count, dim, M }) {
  const rows = new Float32Array(new SharedArrayBuffer(count * dim * 4));
  const dataOffset = 2 * M * 4 + 4;
  const labelOffset = dataOffset + dim * 4;
  for (let slot = 0; slot < count; slot++) {
    const element = reader.take(labelOffset + 8);
    checkLinks(element, 0, 2 * M, count);
    if (element[2] !== 0) throw new GraphFileFailure(`element ${slot} is marked as deleted`);
    for (let j = 0; j < dim; j++) {
      const value = element.readFloatLE(dataOffset + j * 4);
      if (!Number.isFinite(value)) throw new GraphFileFailure(`a vector (${slot}) is not finite`);
      rows[slot * dim + j] = value;
    }
    const label = element.readUInt32LE(labelOffset);
    if (label !== slot || element.readUInt32LE(labelOffset + 4) !== 0) {
      throw new GraphFileFailure(`element ${slot} has another label`);
    }
  }
  return rows;
}

/**
 * The level of every element. A link on a level must lead to an element that reaches it, else hnswlib reads where
 * nothing is.
 * @param {BlockReader} reader
 * @param {{ count: number, M: number, maxLevel: number }} expected
 */
function readUpperLevels(reader, { count, M, maxLevel }) {
  const listBytes = M * 4 + 4;
  const levels = new Uint8Array(count);
  const needed = new Uint8Array(count);
  for (let slot = 0; slot < count; slot++) {
    const bytes = reader.take(4).readUInt32LE(0);
    const top = bytes / listBytes;
    if (!Number.isInteger(top) || top > maxLevel)
      throw new GraphFileFailure(`element ${slot} has a link list of a wrong size`);
    levels[slot] = top;
    for (let level = 1; level <= top; level++) {
      for (const neighbor of checkLinks(reader.take(listBytes), 0, M, count)) {
        if (level > (needed[neighbor] ?? 0)) needed[neighbor] = level;
      }
    }
  }
  for (let slot = 0; slot < count; slot++) {
    if ((needed[slot] ?? 0) > (levels[slot] ?? 0))
      throw new GraphFileFailure('a link leads to an element below its level');
  }
  return levels;
}

/**
 * The links of one list.
 * @param {Buffer} bytes
 * @param {number} offset
 * @param {number} room
 * @param {number} count
 */
function checkLinks(bytes, offset, room, count) {
  const size = bytes.readUInt16LE(offset);
  if (size > room) throw new GraphFileFailure('a link list is longer than its room');
  const links = [];
  for (let i = 0; i < size; i++) {
    const neighbor = bytes.readUInt32LE(offset + 4 + i * 4);
    if (neighbor >= count) throw new GraphFileFailure('a link leads out of the graph');
    links.push(neighbor);
  }
  return links;
}

/** Reads a file from its beginning, some megabytes at a time. */
class BlockReader {
  /** @param {number} file */
  constructor(file) {
    this.file = file;
    /** Bytes not taken yet. */
    this.left = fstatSync(file).size;
    this.block = Buffer.alloc(0);
    this.at = 0;
    this.offset = 0;
  }

  /**
   * The next bytes; valid until the next call.
   * @param {number} bytes
   */
  take(bytes) {
    if (bytes > this.left) throw new GraphFileFailure('the file is cut short');
    if (this.at + bytes > this.block.length) this.refill(bytes);
    const taken = this.block.subarray(this.at, this.at + bytes);
    this.at += bytes;
    this.left -= bytes;
    return taken;
  }

  /** @param {number} atLeast */
  refill(atLeast) {
    const kept = this.block.length - this.at;
    const next = Buffer.allocUnsafe(Math.max(atLeast, Math.min(blockBytes, this.left)));
    this.block.copy(next, 0, this.at);
    let filled = kept;
    while (filled < next.length) {
      const read = readSync(this.file, next, filled, next.length - filled, this.offset);
      if (read === 0) throw new GraphFileFailure('the file is cut short');
      filled += read;
      this.offset += read;
    }
    this.block = next;
    this.at = 0;
  }
}
