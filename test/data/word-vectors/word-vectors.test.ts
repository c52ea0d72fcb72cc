import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeVectors } from '../../../src/data/index.js';
import { VectorEntries } from '../../../src/data/word-vectors/glove-package.js';
import { readWordVectors, type WordFilter } from '../../../src/data/word-vectors/word-vectors.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const all: WordFilter = () => true;

async function read(name: string, content: string | Uint8Array, keep: WordFilter = all) {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, name), content);
  const { words, matrix } = await readWordVectors(name, keep, { baseDirectory: directory });
  return { words, dim: matrix.dim, values: [...matrix.data] };
}

/** word2vec's binary format of some words. */
function binary(words: readonly (readonly [string, readonly number[]])[], lineEnds: boolean): Buffer {
  const parts = [Buffer.from(`${words.length} ${words[0]![1].length}\n`)];
  for (const [word, values] of words) {
    parts.push(Buffer.from(`${word} `), Buffer.from(Float32Array.from(values).buffer));
    if (lineEnds) parts.push(Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

describe('word vectors', () => {
  const expected = { words: ['the', 'né', 'of'], dim: 2, values: [1, -2.5, 3, 4, 0.5, -1000] };
  const lines = 'the 1 -2.5\nné 3 4\nof 0.5 -1e3\n';

  it('are read from text with a first line of count and dimensions or without, and from compressed text', async () => {
    expect(await read('glove.txt', lines)).toEqual(expected);
    expect(await read('wiki.vec', `3 2\n${lines}`)).toEqual(expected);
    expect(await read('wiki.vec', `3 2\r\n${lines.replaceAll('\n', ' \r\n')}`)).toEqual(expected);
    expect(await read('glove.txt.gz', gzipSync(lines))).toEqual(expected);
  });

  it('are read from every file of vectors, with the words as ids in it or in a list beside it', async () => {
    const directory = await temporaryDirectory({ 'list.txt': 'the\nné\nof\n' });
    const matrix = { data: Float32Array.from(expected.values), rows: 3, dim: 2 };
    const context = { baseDirectory: directory };
    for (const name of ['v.npy', 'v.fvecs', 'v.fbin']) {
      await writeVectors(join(directory, name), { matrix });
      const found = await readWordVectors(name, all, { ...context, words: 'list.txt' });
      expect(found).toEqual({ words: expected.words, matrix });
      await expect(readWordVectors(name, all, context)).rejects.toThrow(nighError('INVALID_ARGUMENT', 'words', name));
    }
    for (const name of ['v.jsonl', 'v.parquet']) {
      await writeVectors(join(directory, name), { matrix, ids: expected.words });
      expect(await readWordVectors(name, all, context)).toEqual({ words: expected.words, matrix });
    }
    const some = await readWordVectors('v.npy', (word, at) => word === 'of' || at === 1, {
      ...context,
      words: 'list.txt',
    });
    expect([some.words, [...some.matrix.data]]).toEqual([
      ['né', 'of'],
      [3, 4, 0.5, -1000],
    ]);
    await writeFile(join(directory, 'glove.txt'), lines);
    await writeFile(join(directory, 'short.txt'), 'the\nof\n');
    for (const [name, words] of [
      ['glove.txt', 'list.txt'],
      ['v.npy', 'short.txt'],
    ] as const) {
      await expect(readWordVectors(name, all, { ...context, words })).rejects.toThrow(nighError('INVALID_ARGUMENT'));
    }
  });

  it('are read from the binary format with line ends or without, over the borders of chunks', async () => {
    const words = Array.from(
      { length: 9_000 },
      (_, i) => [`w${i}`, Array.from({ length: 60 }, (_, d) => i + d / 64)] as const,
    );
    for (const lineEnds of [false, true]) {
      const { words: found, values, dim } = await read('vectors.bin', binary(words, lineEnds));
      expect(dim).toBe(60);
      expect(found).toEqual(words.map(([word]) => word));
      expect(values).toEqual(words.flatMap(([, vector]) => vector));
    }
  });

  it('are those that are wanted, a word that comes twice by its first', async () => {
    const keep: WordFilter = (word, position) => word === 'of' || position === 0;
    const some = { words: ['the', 'of'], dim: 2, values: [1, -2.5, 0.5, -1000] };
    expect(await read('glove.txt', `${lines}of 7 7\n`, keep)).toEqual(some);
    const twice = binary(
      [
        ['the', [1, -2.5]],
        ['né', [3, 4]],
        ['of', [0.5, -1000]],
        ['of', [7, 7]],
      ],
      false,
    );
    expect(await read('vectors.bin', twice, keep)).toEqual(some);
  });

  it('may belong to words of several parts, as some of GloVe do', async () => {
    const { words, values } = await read('glove.txt', 'the 1 2\n. . . 3 4\nat name@domain.com 5 6\n');
    expect(words).toEqual(['the', '. . .', 'at name@domain.com']);
    expect(values).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    [
      'a line with too few numbers',
      'a.txt',
      'the 1 2 3\nof 1 2\n',
      'INVALID_RECORD',
      'a.txt:2: expected a word and 3 numbers',
    ],
    ['a line without numbers', 'a.txt', 'the\n', 'FORMAT', 'got 0 numbers'],
    ['text where a number should be', 'a.txt', 'the 1 2\nof 1 x\n', 'INVALID_RECORD', 'a.txt:2: "x"'],
    ['two spaces', 'a.txt', 'the 1 2\nof 1  2\n', 'INVALID_RECORD', 'a.txt:2'],
    ['an infinity', 'a.txt', 'the 1 1e39\n', 'NOT_FINITE', '"the"'],
    ['nothing', 'a.txt', '', 'EMPTY_DATASET', 'no word vectors'],
    ['fewer words than promised', 'a.vec', '3 2\nthe 1 2\n', 'TRUNCATED', 'promises 3 words, got 1'],
    ['a binary file that is text', 'a.bin', 'the 1 2\n', 'FORMAT', 'first line'],
    [
      'a binary file that was cut',
      'a.bin',
      binary(
        [
          ['the', [1, 2]],
          ['of', [3, 4]],
        ],
        true,
      ).subarray(0, 20),
      'TRUNCATED',
      'a.bin',
    ],
    ['a binary file without spaces', 'a.bin', `3 2\n${'x'.repeat(70_000)}`, 'FORMAT', 'a word of more than'],
    ['NaN in a binary file', 'a.bin', binary([['the', [1, Number.NaN]]], true), 'NOT_FINITE', '"the"'],
  ] as const)('are refused: %s', async (_, name, content, code, message) => {
    await expect(read(name, content)).rejects.toThrow(nighError(code, message));
  });

  it('are refused by name where there are none', async () => {
    const context = { baseDirectory: await temporaryDirectory() };
    await expect(readWordVectors('none.txt', all, context)).rejects.toThrow(nighError('NOT_FOUND', 'none.txt'));
    await expect(readWordVectors('none.bin', all, context)).rejects.toThrow(nighError('NOT_FOUND', 'none.bin'));
    await expect(readWordVectors('openmoji', all, context)).rejects.toThrow(
      nighError('UNKNOWN_DATASET', 'glove-6b-100d'),
    );
  });

  it('are found in a JSON text wherever it is cut, whatever the words', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(60), { maxLength: 30 }),
        (words, cuts) => {
          const vectors = Object.fromEntries(words.map((word, i) => [word, [i, -i / 4]]));
          const json = JSON.stringify({ size: 1, words: [...words, 'vectors'], vectors, unkVector: [0] });
          const found: [string, string[]][] = [];
          const entries = new VectorEntries((word, numbers) => found.push([word, [...numbers]]));
          let at = 0;
          for (const length of cuts) {
            entries.feed(json.slice(at, at + length));
            at += length;
          }
          entries.feed(json.slice(at));
          expect(found).toEqual(Object.entries(vectors).map(([word, [a, b]]) => [word, [String(a), String(b)]]));
        },
      ),
    );
  });
});
