import { deserialize, serialize } from 'node:v8';
import type { RowGroup, SchemaElement } from 'hyparquet';
import { NighError } from '../../../core/errors.js';
import type { NeighborBlock } from '../block.js';
import type { Neighbors } from '../neighbors.js';
import type { Encoder, NeighborFormat, Piece } from './format.js';

const list = (name: string, element: SchemaElement): SchemaElement[] => [
  { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  element,
];
const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'REQUIRED',
});

const schema: SchemaElement[] = [
  { name: 'root', num_children: 4 },
  text('id'),
  text('space'),
  ...list('neighbors', text('element')),
  ...list('scores', { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' }),
];

/** One row a row, sorted by `id`: `id`, `space`, the lists `neighbors` and `scores`. A block is a row group. */
export const parquet: NeighborFormat = {
  name: 'parquet',
  endings: ['.parquet'],
  streams: false,
  files: (path) => [path],
  encoder: (pass) => ParquetEncoder.make(pass),
};

type Writers = Pick<typeof import('hyparquet-writer'), 'ByteWriter' | 'ParquetWriter'>;

/** The footer describes every row group, so that of each is kept as its state. */
class ParquetEncoder implements Encoder {
  readonly #bytes: InstanceType<Writers['ByteWriter']>;
  readonly #writer: InstanceType<Writers['ParquetWriter']>;
  readonly #names: (item: number) => string;

  private constructor({ ByteWriter, ParquetWriter }: Writers, pass: Neighbors) {
    this.#bytes = new ByteWriter(1 << 20);
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema, createdBy: 'nigh' });
    this.#names = (item) => pass.itemId(item);
  }

  static async make(pass: Neighbors): Promise<ParquetEncoder> {
    return new ParquetEncoder(await import('hyparquet-writer'), pass);
  }

  /** The magic number, which the writer begins with. */
  *begin(): Iterable<Piece> {
    yield this.#take();
  }

  *encode(block: NeighborBlock): Iterable<Piece> {
    if (block.size === 0) return;
    const rows = Array.from({ length: block.size }, (_, r) => r);
    const slice = (r: number): [begin: number, end: number] => [r * block.k, r * block.k + block.counts[r]!];
    const plain = { statistics: false, offsetIndex: false } as const;
    const written = this.#writer.write({
      rowGroupSize: block.size,
      columnData: [
        { name: 'id', data: rows.map((r) => block.id(r)), offsetIndex: false },
        { name: 'space', data: rows.map((r) => block.space(r)), offsetIndex: false },
        {
          name: 'neighbors',
          data: rows.map((r) => Array.from(block.neighbors.subarray(...slice(r)), this.#names)),
          ...plain,
        },
        {
          name: 'scores',
          data: rows.map((r) => Array.from(block.scores.subarray(...slice(r)))),
          ...plain,
          // Nearly every score is another one: neither a dictionary nor a compressor finds anything in them.
          encoding: 'PLAIN',
          codec: 'UNCOMPRESSED',
        },
      ],
    });
    if (written !== undefined) throw new NighError('INTERNAL', 'Writing to memory did not end at once.');
    yield this.#take();
  }

  get state(): string | undefined {
    const last = this.#writer.row_groups.at(-1);
    return last === undefined ? undefined : serialize(last).toString('base64');
  }

  restore([end = 0]: readonly number[], states: readonly (string | undefined)[]): void {
    this.#bytes.index = 0;
    this.#bytes.offset = end;
    for (const state of states) {
      if (state === undefined) continue;
      const group = readGroup(state);
      this.#writer.row_groups.push(group);
      this.#writer.num_rows += group.num_rows;
    }
  }

  *finish(): Iterable<Piece> {
    this.#writer.finish();
    yield this.#take();
  }

  #take(): Piece {
    const bytes = this.#bytes.getBytes();
    this.#bytes.index = 0;
    return { file: 0, bytes };
  }
}

function readGroup(state: string): RowGroup {
  let group: unknown;
  try {
    group = deserialize(Buffer.from(state, 'base64'));
  } catch (cause) {
    throw new NighError('FORMAT', 'What is kept of a row group cannot be read.', { cause });
  }
  if (typeof group === 'object' && group !== null && 'num_rows' in group && typeof group.num_rows === 'bigint')
    return group as RowGroup;
  throw new NighError('FORMAT', 'What is kept of a row group is none.');
}
