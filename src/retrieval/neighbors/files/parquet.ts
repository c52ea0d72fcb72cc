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

/** One row a row, sorted by `id`: `id`, `space`, the lists `neighbors` and `scores`. A block is a few row groups. */
export const parquet: NeighborFormat = {
  name: 'parquet',
  endings: ['.parquet'],
  streams: false,
  files: (path) => [path],
  encoder: (pass) => ParquetEncoder.make(pass),
};

/** A row group has about so many neighbours: the writer takes some hundred bytes for each while it works on one. */
const groupNeighbors = 50_000;

type Writers = Pick<typeof import('hyparquet-writer'), 'ByteWriter' | 'ParquetWriter'>;

/** The footer describes every row group, so the descriptions of a block's are kept as its state. */
class ParquetEncoder implements Encoder {
  readonly #bytes: InstanceType<Writers['ByteWriter']>;
  readonly #writer: InstanceType<Writers['ParquetWriter']>;
  readonly #names: (item: number) => string;
  /** How many row groups there were before the last block. */
  #before = 0;

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
    this.#before = this.#writer.row_groups.length;
    let begin = 0;
    let neighbors = 0;
    for (let r = 0; r < block.size; r++) {
      neighbors += block.counts[r]!;
      if (neighbors < groupNeighbors && r < block.size - 1) continue;
      this.#write(block, begin, r + 1);
      yield this.#take();
      begin = r + 1;
      neighbors = 0;
    }
  }

  #write(block: NeighborBlock, begin: number, end: number): void {
    const rows = Array.from({ length: end - begin }, (_, at) => begin + at);
    const slice = (r: number): [begin: number, end: number] => [r * block.k, r * block.k + block.counts[r]!];
    const plain = { statistics: false, offsetIndex: false } as const;
    const written = this.#writer.write({
      rowGroupSize: rows.length,
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
  }

  get state(): string | undefined {
    const groups = this.#writer.row_groups.slice(this.#before);
    return groups.length === 0 ? undefined : serialize(groups).toString('base64');
  }

  restore([end = 0]: readonly number[], states: readonly (string | undefined)[]): void {
    this.#bytes.index = 0;
    this.#bytes.offset = end;
    for (const group of states.flatMap((state) => (state === undefined ? [] : readGroups(state)))) {
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

function readGroups(state: string): RowGroup[] {
  let groups: unknown;
  try {
    groups = deserialize(Buffer.from(state, 'base64'));
  } catch (cause) {
    throw new NighError('FORMAT', 'What is kept of some row groups cannot be read.', { cause });
  }
  const isGroup = (group: unknown): group is RowGroup =>
    typeof group === 'object' && group !== null && 'num_rows' in group && typeof group.num_rows === 'bigint';
  if (Array.isArray(groups) && groups.every(isGroup)) return groups;
  throw new NighError('FORMAT', 'What is kept of some row groups is none.');
}
