/**
 * NumPy's .npy, versions 1 to 3 (numpy.lib.format): `\x93NUMPY`, version (2 bytes), length of the header (u16, from version 2 on
 * u32), a header that is the text of a Python dictionary, and the numbers.
 */
import { NighError } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import { BinaryReader, matrixFor, requireFiniteRows, writePieces } from './binary-file.js';
import { decodeInto, type ElementType, isElementType, swapBytes, widthOf } from './element-types.js';
import type { VectorFormat } from './vector-file.js';

const magic = Buffer.from('\x93NUMPY', 'latin1');
const longestHeader = 1 << 20;

interface Header {
  readonly type: ElementType;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly rows: number;
  readonly dim: number;
}

/** Two-dimensional arrays of float16, float32, float64 or integers, in either byte order, in C or Fortran order. Written as float32, version 1. */
export const npy: VectorFormat = {
  name: 'npy',
  endings: ['.npy'],
  places: [],
  holdsIds: false,

  read(path, _places, context) {
    return BinaryReader.use(path, context, async (reader) => {
      const header = await readHeader(reader);
      const { type, rows, dim } = header;
      const expected = rows * dim * widthOf(type);
      if (reader.left !== expected) {
        throw new NighError(
          'TRUNCATED',
          `${path}: expected ${expected} bytes for ${rows} × ${dim} numbers of ${widthOf(type)} bytes, got ${reader.left}.`,
        );
      }
      const matrix = matrixFor(path, rows, dim);
      if (header.fortranOrder) await readColumns(reader, header, matrix);
      else await readRows(reader, header, matrix);
      requireFiniteRows(path, matrix);
      return { matrix };
    });
  },

  write(path, { matrix }, context) {
    return writePieces(path, pieces(matrix), context);
  },
};

async function readHeader(reader: BinaryReader): Promise<Header> {
  const wrong = (what: string) => new NighError('FORMAT', `${reader.path}: ${what}.`);
  const start = await reader.take(8);
  if (!start.subarray(0, 6).equals(magic)) throw wrong('not an npy file');
  const version = start[6]!;
  if (version < 1 || version > 3) throw wrong(`npy version ${version}; versions 1 to 3 are known`);
  const length = version === 1 ? (await reader.take(2)).readUInt16LE() : (await reader.take(4)).readUInt32LE();
  if (length > longestHeader) throw wrong('the header is too long');
  const text = (await reader.take(length)).toString(version === 3 ? 'utf8' : 'latin1');
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1];
  if (order === undefined || shape === undefined) throw wrong('the header names no shape or order');
  const type = descr?.slice(1) ?? '';
  if (descr === undefined || !/^[<>|=]/.test(descr) || !isElementType(type)) {
    throw wrong(`expected float16, float32, float64 or integers, got ${descr === undefined ? 'records' : descr}`);
  }
  const sizes = shape.split(',').map((size) => size.trim());
  if (sizes.at(-1) === '') sizes.pop();
  const [rows, dim] = sizes.map(Number);
  if (
    sizes.length !== 2 ||
    rows === undefined ||
    dim === undefined ||
    !sizes.every((size) => /^\d{1,15}$/.test(size))
  ) {
    throw wrong(`expected an array of two dimensions, got shape (${shape})`);
  }
  return { type, bigEndian: descr.startsWith('>'), fortranOrder: order === 'True', rows, dim };
}

async function readRows(reader: BinaryReader, { type, bigEndian }: Header, { data, rows, dim }: Matrix): Promise<void> {
  for await (const { first, block } of reader.records(rows, dim * widthOf(type))) {
    if (bigEndian) swapBytes(type, block);
    decodeInto(type, block, data, first * dim);
  }
}

/** Column after column; each is cut into pieces so that a long one needs no more memory than a block. */
async function readColumns(
  reader: BinaryReader,
  { type, bigEndian }: Header,
  { data, rows, dim }: Matrix,
): Promise<void> {
  let column = new Float32Array(0);
  for await (const { first, count, block } of reader.records(rows * dim, widthOf(type))) {
    if (bigEndian) swapBytes(type, block);
    if (column.length < count) column = new Float32Array(count);
    decodeInto(type, block, column, 0);
    for (let i = 0; i < count; i++) data[((first + i) % rows) * dim + Math.floor((first + i) / rows)] = column[i]!;
  }
}

function* pieces({ data, rows, dim }: Matrix): Generator<Buffer> {
  yield npyHeader('<f4', rows, dim);
  yield* slices(data, 1 << 18);
}

/** What a file of rows × dim numbers in C order begins with. @param descr NumPy's name of their type, such as `<f4` */
export function npyHeader(descr: '<f4' | '<u4', rows: number, dim: number): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${rows}, ${dim}), }`;
  // The numbers begin at a multiple of 64, behind 10 bytes and the header, which ends with a line break.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  return Buffer.concat([magic, Buffer.of(1, 0), length, Buffer.from(padded, 'latin1')]);
}

/** Numbers as bytes, some at a time. */
function* slices(data: Float32Array, count: number): Generator<Buffer> {
  for (let at = 0; at < data.length; at += count) {
    const part = data.subarray(at, at + count);
    yield Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  }
}
