import { NighError } from '../../../core/errors.js';
import { npyHeader } from '../../../data/vector-files/npy.js';
import type { Neighbors } from '../neighbors.js';
import type { Encoder, NeighborFormat, Piece } from './format.js';

/** In the order of the files. */
const [numbersFile, scoresFile, rowsFile, itemsFile] = [0, 1, 2, 3] as const;
const linesAtOnce = 4096;

/**
 * Matrices of NumPy, rows × k: `x.npy` has the neighbours as numbers of items (uint32; 4294967295 where a row has no more), `x.scores.npy` the
 * scores (float32; NaN). Line r of `x.ids.txt` is the id of row r, line n of `x.items.txt` that of item n, both from 0.
 */
export const npy: NeighborFormat = {
  name: 'npy',
  endings: ['.npy'],
  streams: false,
  files(path) {
    const stem = path.replace(/\.npy$/, '');
    return [path, `${stem}.scores.npy`, `${stem}.ids.txt`, `${stem}.items.txt`];
  },
  encoder: async (pass) => encoderOf(pass),
};

function encoderOf(pass: Neighbors): Encoder {
  return {
    *begin(): Iterable<Piece> {
      yield { file: numbersFile, bytes: npyHeader('<u4', pass.rows, pass.k) };
      yield { file: scoresFile, bytes: npyHeader('<f4', pass.rows, pass.k) };
      // Before the work, so that an id that is no line is known before it.
      for (const bytes of lines(pass.items, (item) => pass.itemId(item))) yield { file: itemsFile, bytes };
    },
    *encode(block) {
      const { neighbors, scores } = block;
      yield { file: numbersFile, bytes: bytesOf(neighbors) };
      yield { file: scoresFile, bytes: bytesOf(Float32Array.from(scores)) };
      for (const bytes of lines(block.size, (r) => block.id(r))) yield { file: rowsFile, bytes };
    },
    restore() {},
    *finish() {},
  };
}

function* lines(count: number, textOf: (n: number) => string): Generator<Uint8Array> {
  for (let begin = 0; begin < count; begin += linesAtOnce) {
    let text = '';
    for (let n = begin; n < Math.min(count, begin + linesAtOnce); n++) {
      const id = textOf(n);
      if (/[\r\n]/.test(id)) {
        throw new NighError(
          'INVALID_ARGUMENT',
          `The id ${JSON.stringify(id)} cannot stand on a line of its own, as npy needs it; the other formats hold it.`,
        );
      }
      text += `${id}\n`;
    }
    yield Buffer.from(text);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
