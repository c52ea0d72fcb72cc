/** The numbers of binary files, to and from float32. */
import { NighError } from '../../core/errors.js';

const readers = {
  f4: (bytes: Buffer) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  f8: (bytes: Buffer) => new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8),
  f2: (bytes: Buffer) => halves(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)),
  i1: (bytes: Buffer) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
  u1: (bytes: Buffer) => bytes,
  i2: (bytes: Buffer) => new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2),
  u2: (bytes: Buffer) => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2),
  i4: (bytes: Buffer) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  u4: (bytes: Buffer) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  i8: (bytes: Buffer) => wide(new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)),
  u8: (bytes: Buffer) => wide(new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)),
} as const;

/** By kind and bytes, as numpy names them: `f4` is float32, `u1` uint8. */
export type ElementType = keyof typeof readers;

export function isElementType(name: string): name is ElementType {
  return Object.hasOwn(readers, name);
}

/** Bytes of one number. */
export function widthOf(type: ElementType): number {
  return Number(type[1]);
}

/** The numbers in some bytes (little-endian; the bytes may be moved) as float32 at `at` of `out`. Integers above 2^24 are rounded. */
export function decodeInto(type: ElementType, bytes: Buffer, out: Float32Array, at: number): void {
  const aligned = bytes.byteOffset % widthOf(type) === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
  out.set(readers[type](aligned), at);
}

/** Turns big-endian numbers into little-endian ones where they lie. */
export function swapBytes(type: ElementType, bytes: Buffer): void {
  const width = widthOf(type);
  if (width === 2) bytes.swap16();
  else if (width === 4) bytes.swap32();
  else if (width === 8) bytes.swap64();
}

const ranges = { u1: [0, 0xff], i1: [-0x80, 0x7f], i4: [-0x80000000, 0x7fffffff] } as const;

/**
 * A row as the bytes of a file.
 * @throws NighError INVALID_ARGUMENT for a value that the type cannot hold
 */
export function encode(type: 'f4' | keyof typeof ranges, row: Float32Array, position: number): Buffer {
  if (type !== 'f4') {
    const [low, high] = ranges[type];
    const wrong = row.findIndex((value) => !Number.isInteger(value) || value < low || value > high);
    if (wrong >= 0) {
      throw new NighError(
        'INVALID_ARGUMENT',
        `matrix: row ${position}, column ${wrong} is ${row[wrong]}; the format holds integers from ${low} to ${high}.`,
      );
    }
  }
  const numbers =
    type === 'f4'
      ? row
      : type === 'u1'
        ? Uint8Array.from(row)
        : type === 'i1'
          ? Int8Array.from(row)
          : Int32Array.from(row);
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

let halfTable: Float32Array | undefined;

function halves(bits: Uint16Array): Float32Array {
  halfTable ??= Float32Array.from({ length: 1 << 16 }, (_, value) => halfValue(value));
  const table = halfTable;
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
  return out;
}

/** IEEE 754 binary16. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function wide(values: BigInt64Array | BigUint64Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = Number(values[i]);
  return out;
}
