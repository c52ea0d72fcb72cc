/** The files of the TEXMEX data sets: every vector is its number of values (i32) and then the values; all have the same number. */
import { NighError } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import { BinaryReader, matrixFor, requireFiniteRows, writePieces } from './binary-file.js';
import { decodeInto, type ElementType, encode, widthOf } from './element-types.js';
import type { VectorFormat } from './vector-file.js';

function vecs(name: string, type: ElementType & Parameters<typeof encode>[0]): VectorFormat {
  const width = widthOf(type);
  return {
    name,
    endings: [`.${name}`],
    places: [],
    holdsIds: false,

    async read(path, _places, context) {
      const dim = await BinaryReader.use(path, {}, async (reader) => {
        if (reader.size === 0) throw new NighError('FORMAT', `${path}: the file is empty, so it says no dimensions.`);
        return (await reader.take(4)).readInt32LE();
      });
      if (dim < 1) throw new NighError('FORMAT', `${path}: row 0 says that it has ${dim} values.`);
      return BinaryReader.use(path, context, async (reader) => {
        const recordBytes = 4 + dim * width;
        const matrix = matrixFor(path, Math.floor(reader.size / recordBytes), dim);
        for await (const { first, count, block } of reader.records(matrix.rows, recordBytes)) {
          for (let i = 0; i < count; i++) {
            const found = block.readInt32LE(i * recordBytes);
            if (found !== dim) {
              throw new NighError(
                'FORMAT',
                `${path}: row ${first + i} says that it has ${found} values, where row 0 has ${dim}.`,
              );
            }
            decodeInto(
              type,
              block.subarray(i * recordBytes + 4, (i + 1) * recordBytes),
              matrix.data,
              (first + i) * dim,
            );
          }
        }
        if (reader.left !== 0) {
          throw new NighError('TRUNCATED', `${path}: row ${matrix.rows} has ${reader.left} bytes of ${recordBytes}.`);
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
  const head = Buffer.alloc(4);
  head.writeInt32LE(dim);
  for (let r = 0; r < rows; r++) {
    yield head;
    yield encode(type, data.subarray(r * dim, (r + 1) * dim), r);
  }
}

export const fvecs = vecs('fvecs', 'f4');
export const ivecs = vecs('ivecs', 'i4');
export const bvecs = vecs('bvecs', 'u1');
