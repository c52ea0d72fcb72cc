import { join } from 'node:path';
import { NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { Catalogue, type PackedCatalogue } from './catalogue.js';
import type { CatalogueLookup } from './catalogue-lookup.js';
import { ContentTerms } from './content-terms.js';
import { Embedders } from './embedders.js';
import { FilterCache } from './filters/filter-cache.js';
import { Stoplists } from './filters/stoplists.js';
import { liveGeneration, type Manifest, readManifest } from './generation.js';
import { DirectoryFiles } from './generation-files.js';
import { openAll } from './open-all.js';
import { readPacked } from './packed-file.js';
import { Pictures, pictureFiles } from './pictures.js';
import type { AnyQuery } from './query-options.js';
import { type PackedInteractions, type Pasts, SeenLists } from './seen-lists.js';
import { Space } from './space.js';
import { type Names, type PackedStringIndex, StringIndex } from './string-index.js';

/** The files of a generation that belong to no space. */
export const collectionFiles = {
  items: 'items.msgpack',
  users: 'users.msgpack',
  interactions: 'interactions.msgpack',
  recipe: 'recipe.json',
} as const;

/** What a collection is made of. */
export interface CollectionParts {
  readonly manifest: Manifest;
  /** The number of the last change that is in it. */
  readonly sequence: number;
  readonly catalogue: CatalogueLookup;
  readonly users: Names;
  /** How many users there are. Ordinals of `users` may be more: some are gone. */
  readonly userCount: number;
  readonly seen: Pasts;
  /** In the recipe's order. */
  readonly spaces: readonly Space[];
  readonly embedders: Embedders;
  /** Undefined where the recipe keeps none. */
  readonly pictures: Pictures | undefined;
  /** The sets of the predicates that were asked for last. */
  readonly filters: Pick<FilterCache, 'setOf'>;
  readonly stoplists: Stoplists;
  readonly content: () => ContentTerms;
}

/** A state of a collection, everything that a question needs, by ordinals: an open generation, or one with changes on top (live/). */
export class Collection {
  readonly manifest: Manifest;
  readonly sequence: number;
  readonly catalogue: CatalogueLookup;
  readonly users: Names;
  readonly userCount: number;
  readonly seen: Pasts;
  readonly spaces: readonly Space[];
  readonly embedders: Embedders;
  readonly pictures: Pictures | undefined;
  readonly filters: Pick<FilterCache, 'setOf'>;
  readonly stoplists: Stoplists;
  readonly #makeContent: () => ContentTerms;
  #content: ContentTerms | undefined;

  constructor(parts: CollectionParts) {
    this.manifest = parts.manifest;
    this.sequence = parts.sequence;
    this.catalogue = parts.catalogue;
    this.users = parts.users;
    this.userCount = parts.userCount;
    this.seen = parts.seen;
    this.spaces = parts.spaces;
    this.embedders = parts.embedders;
    this.pictures = parts.pictures;
    this.filters = parts.filters;
    this.stoplists = parts.stoplists;
    this.#makeContent = parts.content;
  }

  /** What the items say of themselves, for questions that no space can answer. */
  get content(): ContentTerms {
    this.#content ??= this.#makeContent();
    return this.#content;
  }

  /**
   * Opens the live generation of a collection directory.
   * @throws NighError UNKNOWN_COLLECTION, NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH, VERSION_UNSUPPORTED
   */
  static async open(directory: string, mode: 'memory' | 'mmap'): Promise<Generation> {
    let generation = await liveGeneration(directory);
    while (generation !== undefined) {
      try {
        return await Collection.openGeneration(join(directory, generation), mode);
      } catch (cause) {
        // Builds may have replaced and pruned this generation since its name was read.
        const live = await liveGeneration(directory);
        if (live === generation) throw cause;
        generation = live;
      }
    }
    throw new NighError('UNKNOWN_COLLECTION', `${directory}: no collection was built here.`);
  }

  /** Opens a generation by its own directory, live or not. @throws NighError as `open`; NOT_FOUND where it is not there */
  static async openGeneration(directory: string, mode: 'memory' | 'mmap'): Promise<Generation> {
    const manifest = await readManifest(directory);
    const spaces = await openAll(manifest.spaces.map((space) => Space.open(directory, manifest, space, mode)));
    try {
      const { catalogue, users, seen } = await Collection.readVocabularies(directory, manifest);
      const { columns, size: items } = catalogue;
      return new Generation({
        ...{ manifest, catalogue, users, seen, spaces },
        sequence: manifest.journal ?? 0,
        userCount: users.size,
        embedders: new Embedders(new DirectoryFiles(directory, manifest), manifest),
        pictures: await openPictures(directory, manifest),
        filters: new FilterCache({ columns, items }),
        stoplists: new Stoplists(catalogue),
        content: () => ContentTerms.of(columns, items),
      });
    } catch (cause) {
      for (const space of spaces) space.close();
      throw cause;
    }
  }

  /** What a generation knows of its items and users beside their vectors. @throws NighError as `open` */
  static async readVocabularies(
    directory: string,
    manifest: Manifest,
  ): Promise<{ readonly catalogue: Catalogue; readonly users: StringIndex; readonly seen: SeenLists }> {
    const read = async <Packed, Opened>(name: string, open: (packed: Packed) => Opened): Promise<Opened> => {
      const stamp = manifest.files[name];
      if (stamp === undefined) throw new NighError('FORMAT', `${directory}: the manifest lists no ${name}.`);
      const packed = await readPacked(join(directory, name), stamp);
      try {
        return open(packed as Packed);
      } catch (cause) {
        // Who reads it takes the parts to be there; where they are not, it is the file's fault.
        if (cause instanceof NighError) throw cause;
        throw new NighError('FORMAT', `${join(directory, name)}: holds something else: ${(cause as Error).message}`, {
          cause,
        });
      }
    };
    const seen = await read(collectionFiles.interactions, (packed: PackedInteractions) => new SeenLists(packed));
    const users = await read(collectionFiles.users, (packed: PackedStringIndex) => new StringIndex(packed));
    const open = (packed: PackedCatalogue) => new Catalogue(packed, seen.popularity);
    const catalogue = await read(collectionFiles.items, open);
    if (users.size !== manifest.users || seen.users !== manifest.users || catalogue.size !== manifest.items) {
      throw new NighError('FORMAT', `${directory}: the files hold other numbers of items or users than the manifest.`);
    }
    return { catalogue, users, seen };
  }

  /** @throws NighError UNKNOWN_SPACE naming the nearest */
  requireSpace(name: string): Space {
    const space = this.spaces.find((candidate) => candidate.name === name);
    if (space !== undefined) return space;
    const names = this.spaces.map((candidate) => candidate.name);
    const hint = didYouMean(name, names) || ` It has: ${names.join(', ')}.`;
    throw new NighError('UNKNOWN_SPACE', `${this.manifest.name} has no space ${JSON.stringify(name)}.${hint}`);
  }

  /**
   * The spaces that may answer a query, in the order in which they are asked: the one it names, or else all, or those that have every
   * block that it weighs.
   * @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT where no space has these blocks
   */
  spacesFor({ space: wanted, weights }: AnyQuery): readonly Space[] {
    if (wanted !== undefined) return [this.requireSpace(wanted)];
    if (weights === undefined) return this.spaces;
    const names = Object.keys(weights);
    const able = this.spaces.filter(({ blocks }) => names.every((name) => blocks.some((block) => block.name === name)));
    if (able.length > 0) return able;
    const known = this.spaces.filter(({ blocks }) => blocks.length > 0);
    const has = known
      .map(({ name, blocks }) => `${name} has ${blocks.map((block) => block.name).join(', ')}`)
      .join('; ');
    throw new NighError(
      'INVALID_ARGUMENT',
      `weights: no space of ${this.manifest.name} has the blocks ${names.join(', ')}${has === '' ? '; none has blocks' : `: ${has}`}.`,
    );
  }

  /** @throws NighError UNKNOWN_USER */
  requireUser(id: string): number {
    const user = this.users.find(id);
    if (user === undefined)
      throw new NighError('UNKNOWN_USER', `${this.manifest.name} has no user ${JSON.stringify(id)}.`);
    return user;
  }

  close(): void {
    for (const space of this.spaces) space.close();
  }

  /** As `close`, and ends the threads of the embedders. */
  async closeAll(): Promise<void> {
    this.close();
    await this.embedders.close();
    await this.pictures?.close();
  }
}

function openPictures(directory: string, { files }: Manifest): Promise<Pictures> | undefined {
  const [bytes, places] = [files[pictureFiles.bytes], files[pictureFiles.places]];
  return bytes === undefined || places === undefined ? undefined : Pictures.open(directory, { bytes, places });
}

/** A generation as it was built. */
export class Generation extends Collection {
  declare readonly filters: FilterCache;
  declare readonly catalogue: Catalogue;
  declare readonly users: StringIndex;
  declare readonly seen: SeenLists;
}
