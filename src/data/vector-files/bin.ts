/** The files of the billion-scale benchmarks: number of vectors (u32), number of values in each (u32), then all values. */
import { NighError } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import { BinaryReader, matrixFor, requireFiniteRows, writePieces } from './binary-file.js';
import { decodeInto, type ElementType, encode, widthOf } from './element-types.js';
import type { VectorFormat } from './vector-file.js';

function bin(name: string, type: ElementType & Parameters<typeof encode>[0]): VectorFormat {
  const width = widthOf(type);
  return {
    name,
    endings: [`.${name}`],
    places: [],
    holdsIds: false,

    read(path, _places, context) {
      return BinaryReader.use(path, context, async (reader) => {
        const head = await reader.take(8);
        const rows = head.readUInt32LE(0);
        const dim = head.readUInt32LE(4);
        const expected = rows * dim * width;
        if (reader.left !== expected) {
          throw new NighError(
            'TRUNCATED',
            `${path}: expected ${expected} bytes for ${rows} × ${dim} numbers of ${width} bytes, got ${reader.left}.`,
          );
        }
        const matrix = matrixFor(path, rows, dim);
        for await (const { first, block } of reader.records(rows, dim * width)) {
          decodeInto(type, block, matrix.data, first * dim);
        }
        requireFiniteRows(path, matrix);
        return { matrix };
      });
    },

    write(path, { matrix }, context) {
      return writePieces(path, pieces(matrix, type), context);
    },
  };
}

function* pieces({ data, rows, dim }: Matrix, type: Parameters<typeof encode>[0]): Generator<Buffer> {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(rows, 0);
  head.writeUInt32LE(dim, 4);
  yield head;
  for (let r = 0; r < rows; r++) yield encode(type, data.subarray(r * dim, (r + 1) * dim), r);
}

export const fbin = bin('fbin', 'f4');
export const ibin = bin('ibin', 'i4');
export const u8bin = bin('u8bin', 'u1');
export const i8bin = bin('i8bin', 'i1');
