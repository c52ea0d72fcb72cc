/**
 * What of a dataset a fit has read, and what that was: the parts of it by name, each with a digest of its content. `items`, `users`, `titles`,
 * `interactions`, `timestamps`, `columns` (all of them and their names), `column <name>`, `pictures`, `origin`.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Column, Dataset } from '../../data/dataset.js';

/** The digest of a part that is not there. */
const absent = 'absent';
/** Of a part that cannot be compared: pictures are files, or made when they are asked for. */
export const notCompared = 'not compared';

/** Digests of the parts of one dataset, each computed when it is first asked for. */
export class DatasetDigests {
  readonly #dataset: Dataset;
  readonly #known = new Map<string, string>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  /** Hexadecimal, `absent`, or `not compared`. */
  of(part: string): string {
    let digest = this.#known.get(part);
    if (digest === undefined) {
      digest = this.#compute(part);
      this.#known.set(part, digest);
    }
    return digest;
  }

  /** Of everything that a collection keeps of its dataset. */
  get whole(): string {
    const hash = createHash('sha256');
    for (const part of ['origin', 'items', 'users', 'titles', 'interactions', 'timestamps', 'columns'])
      hash.update(this.of(part));
    return hash.digest('hex');
  }

  #compute(part: string): string {
    const { items, users, titles, interactions, timestamps, columns, pictures, origin } = this.#dataset;
    const hash = createHash('sha256');
    switch (part) {
      case 'items':
        return ended(hash, items.terms);
      case 'users':
        return ended(hash, users.terms);
      case 'titles':
        return ended(hash, titles);
      case 'origin':
        return ended(hash, [origin.name, origin.licence, origin.source]);
      case 'interactions':
        hash.update(`${interactions.rows} ${interactions.cols}\n`);
        for (const array of [interactions.offsets, interactions.columns, interactions.values]) hash.update(array);
        return hash.digest('hex');
      case 'timestamps':
        return timestamps === undefined ? absent : hash.update(timestamps).digest('hex');
      case 'pictures':
        return pictures === undefined ? absent : notCompared;
      case 'columns':
        for (const name of columns.keys()) hash.update(`${JSON.stringify(name)} ${this.of(`column ${name}`)}\n`);
        return hash.digest('hex');
      default:
        return columnDigest(columns.get(part.slice('column '.length)));
    }
  }
}

function columnDigest(column: Column | undefined): string {
  return column === undefined ? absent : ended(createHash('sha256').update(`${column.type}\n`), column.values);
}

/** One line a value, so that no two lists read alike; what is missing is an empty line. */
function ended(hash: Hash, values: readonly unknown[]): string {
  let text = '';
  for (const value of values) {
    text += `${value === undefined ? '' : JSON.stringify(value)}\n`;
    if (text.length < 1 << 16) continue;
    hash.update(text);
    text = '';
  }
  return hash.update(text).digest('hex');
}

/** A dataset that notes which of its parts were read. */
export interface TracedDataset {
  readonly dataset: Dataset;
  /** The parts that were read so far, with their digests. */
  inputs(): Readonly<Record<string, string>>;
}

export function traced(dataset: Dataset, digests: DatasetDigests): TracedDataset {
  const read = new Set<string>();
  const noted = (part: string): void => {
    read.add(part);
  };
  const columns = new TracedColumns(dataset.columns, noted);
  const watched: Record<string, unknown> = {};
  // Enumerable, so that a copy of the dataset has read all of it.
  for (const key of Object.keys(dataset) as (keyof Dataset)[]) {
    Object.defineProperty(watched, key, {
      enumerable: true,
      get: () => {
        if (key === 'columns') return columns;
        noted(key);
        return dataset[key];
      },
    });
  }
  // What is not there may be asked for as well.
  for (const key of ['timestamps', 'pictures'] as const) {
    if (key in dataset) continue;
    Object.defineProperty(watched, key, { get: () => noted(key) });
  }
  return {
    dataset: watched as unknown as Dataset,
    inputs: () => Object.fromEntries([...read].sort().map((part) => [part, digests.of(part)])),
  };
}

/** The columns: one that is asked for by name is one part, a look at several is all of them. */
class TracedColumns extends Map<string, Column> {
  readonly #columns: ReadonlyMap<string, Column>;
  readonly #noted: (part: string) => void;

  constructor(columns: ReadonlyMap<string, Column>, noted: (part: string) => void) {
    super();
    this.#columns = columns;
    this.#noted = noted;
  }

  override get(name: string): Column | undefined {
    this.#noted(`column ${name}`);
    return this.#columns.get(name);
  }

  override has(name: string): boolean {
    this.#noted(`column ${name}`);
    return this.#columns.has(name);
  }

  override get size(): number {
    return this.#all().size;
  }

  override forEach(visit: (column: Column, name: string, columns: Map<string, Column>) => void): void {
    for (const [name, column] of this.#all()) visit(column, name, this);
  }

  override entries() {
    return new Map(this.#all()).entries();
  }

  override keys() {
    return new Map(this.#all()).keys();
  }

  override values() {
    return new Map(this.#all()).values();
  }

  override [Symbol.iterator]() {
    return this.entries();
  }

  #all(): ReadonlyMap<string, Column> {
    this.#noted('columns');
    return this.#columns;
  }
}
