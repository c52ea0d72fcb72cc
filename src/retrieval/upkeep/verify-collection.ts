/**
 * Is a collection what was built?
 *
 * 1. CURRENT names a generation, and its manifest is what was written.
 * 2. Every file that the manifest lists has its length and checksum; of the older generations that are kept, too.
 * 3. The vocabularies hold together: as many items and users as the manifest says, each found by its id.
 * 4. Every index: its ids are those of items or users, every vector is found by a search for it, recall over the build's questions is
 *    not below the floor.
 * 5. The journal can be read: every change since the generation is there, and each that it holds has its checksum.
 * 6. The whole opens, its changes included.
 *
 * Later steps leave out what an earlier one has found damaged. Nothing is changed, and nothing is locked.
 */
import { join, resolve } from 'node:path';
import { breathe, throwIfAborted } from '../../core/abort.js';
import { type ErrorCode, NighError } from '../../core/errors.js';
import { checked, integer, optional, readParams } from '../../core/params.js';
import { Collection, collectionFiles } from '../collection.js';
import { liveGeneration, type Manifest, manifestName, readManifest } from '../generation.js';
import { journalPlace } from '../journal/journal.js';
import { Retriever } from '../retriever.js';
import { checkFiles, FileReader } from './check-files.js';
import { checkJournal } from './check-journal.js';
import { type CheckedIndex, checkIndex, checkModel, indexFiles } from './check-space.js';
import { generationNames } from './rollback.js';

/** What was looked at. */
export type CheckName =
  | 'pointer'
  | 'manifest'
  | 'checksum'
  | 'vocabulary'
  | 'reachability'
  | 'recall'
  | 'journal'
  | 'opening';

/** Something that is not as it should be. */
export interface Finding {
  readonly check: CheckName;
  /** Undefined where no generation is known. */
  readonly generation: string | undefined;
  /** The file. */
  readonly subject: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Verification {
  /** The directory. */
  readonly directory: string;
  /** Undefined where its manifest cannot be read. */
  readonly collection: string | undefined;
  /** The live one; undefined where CURRENT does not say. */
  readonly generation: string | undefined;
  /** Whether there are no findings. */
  readonly sound: boolean;
  readonly findings: readonly Finding[];
  readonly files: number;
  /** What was read of files; those that generations share are read once. */
  readonly bytes: number;
  /** The indexes of the live generation. */
  readonly indexes: readonly CheckedIndex[];
  readonly recallFloor: number | undefined;
  /** Changes in the journal since the live generation; undefined where there is no journal, or it cannot be read. */
  readonly changes: number | undefined;
  /** The others on disk, whose files were checked. */
  readonly olderGenerations: readonly string[];
}

export interface VerifyProgress {
  readonly stage: 'files' | 'vocabulary' | 'index' | 'journal';
  readonly subject: string;
  readonly done: number;
  readonly total: number;
}

export interface VerifyCollectionOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** Native threads; 0 (default) = all. */
  readonly threads?: number | undefined;
}

export const verifySchema = {
  signal: optional(checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)),
  onProgress: optional(checked('a function', (value): value is ProgressCallback => typeof value === 'function')),
  threads: integer({ min: 0, max: 1024, default: 0 }),
};
type ProgressCallback = (progress: VerifyProgress) => void;

/**
 * Checks a collection: its live generation in every respect, the older ones by their checksums.
 * @throws NighError UNKNOWN_COLLECTION where nothing was built, IO, ABORTED, INVALID_ARGUMENT, UNKNOWN_OPTION; damage is no error but a
 * finding
 */
export async function verifyCollection(
  directory: string,
  options: VerifyCollectionOptions = {},
): Promise<Verification> {
  const settings = readParams(verifySchema, options, '');
  return new Verifier(resolve(directory), settings).run();
}

class Verifier {
  readonly #findings: Finding[] = [];
  readonly #reader = new FileReader();
  readonly #indexes: CheckedIndex[] = [];
  #files = 0;
  #generation: string | undefined;
  #changes: number | undefined;

  constructor(
    readonly directory: string,
    readonly settings: { signal: AbortSignal | undefined; onProgress: ProgressCallback | undefined; threads: number },
  ) {}

  async run(): Promise<Verification> {
    const names = await generationNames(this.directory);
    const live = await this.#pointer(names);
    if (names.length === 0 && live === undefined && this.#findings.length === 0) {
      throw new NighError('UNKNOWN_COLLECTION', `${this.directory}: no collection was built here.`);
    }
    this.#generation = live;
    const manifest = live === undefined ? undefined : await this.#manifest(live);
    if (manifest !== undefined) await this.#live(manifest);
    const older = names.filter((name) => name !== live);
    for (const name of older) {
      this.#generation = name;
      const old = await this.#manifest(name);
      if (old !== undefined) await this.#checksums(name, old);
    }
    return {
      directory: this.directory,
      collection: manifest?.name,
      generation: live,
      sound: this.#findings.length === 0,
      findings: this.#findings,
      files: this.#files,
      bytes: this.#reader.bytesRead,
      indexes: this.#indexes,
      recallFloor: manifest?.recallFloor,
      changes: this.#changes,
      olderGenerations: older,
    };
  }

  async #live(manifest: Manifest): Promise<void> {
    const { generation } = manifest;
    const path = join(this.directory, generation);
    const damaged = await this.#checksums(generation, manifest);
    await this.#vocabularies(path, manifest, damaged);
    for (const space of manifest.spaces) {
      await this.#attempt('opening', `${space.name}.model.msgpack`, damaged, () => checkModel(path, manifest, space));
    }
    for (const file of indexFiles(manifest)) {
      const needs = file.role === 'recommend' ? [file.name, `${file.space.name}.users.ann`] : [file.name];
      if (needs.some((name) => damaged.has(name))) continue;
      await this.#attempt('opening', file.name, damaged, async () => {
        const { threads, signal } = this.settings;
        const onProgress = (done: number, total: number) => this.#progress('index', file.name, done, total);
        const { index, faults } = await checkIndex(path, manifest, file, { threads, signal, onProgress });
        this.#indexes.push(index);
        for (const { check, message } of faults) {
          this.#found(check, file.name, check === 'recall' ? 'RECALL_FLOOR' : 'FORMAT', message);
        }
      });
    }
    await this.#attempt('journal', 'journal', damaged, () => this.#journal(manifest));
    // What the parts did not show, the whole may.
    if (this.#findings.length > 0) return;
    await this.#attempt('opening', generation, damaged, async () => {
      await (await Retriever.open(this.directory)).close();
    });
  }

  async #journal(manifest: Manifest): Promise<void> {
    const { signal } = this.settings;
    const onProgress = (done: number, total: number) => this.#progress('journal', 'journal', done, total);
    const place = journalPlace(this.directory, manifest);
    this.#changes = (await checkJournal(place, manifest.journal ?? 0, signal, onProgress))?.changes;
  }

  async #pointer(names: readonly string[]): Promise<string | undefined> {
    let live: string | undefined;
    try {
      live = await liveGeneration(this.directory);
    } catch (cause) {
      if (!(cause instanceof NighError)) throw cause;
      this.#found('pointer', 'CURRENT', cause.code, cause.message);
      return undefined;
    }
    if (live === undefined && names.length > 0) {
      this.#found('pointer', 'CURRENT', 'NOT_FOUND', `${this.directory}: there are generations, and no CURRENT.`);
    }
    return live;
  }

  async #manifest(generation: string): Promise<Manifest | undefined> {
    try {
      this.#files++;
      const manifest = await readManifest(join(this.directory, generation));
      if (manifest.generation === generation) return manifest;
      this.#found(
        'manifest',
        manifestName,
        'FORMAT',
        `The manifest of ${generation} is that of ${manifest.generation}.`,
      );
    } catch (cause) {
      if (!(cause instanceof NighError)) throw cause;
      this.#found('manifest', manifestName, cause.code, cause.message);
    }
    return undefined;
  }

  /** @returns the names of damaged files */
  async #checksums(generation: string, manifest: Manifest): Promise<ReadonlySet<string>> {
    const path = join(this.directory, generation);
    const onProgress = (name: string, done: number, total: number) =>
      this.#progress('files', `${generation}/${name}`, done, total);
    const damaged = await checkFiles(path, manifest, this.#reader, this.settings.signal, onProgress);
    this.#files += Object.keys(manifest.files).length;
    for (const { name, code, message } of damaged) this.#found('checksum', name, code, message);
    return new Set(damaged.map(({ name }) => name));
  }

  async #vocabularies(path: string, manifest: Manifest, damaged: ReadonlySet<string>): Promise<void> {
    const names = [collectionFiles.items, collectionFiles.users, collectionFiles.interactions];
    if (names.some((name) => damaged.has(name))) return;
    await this.#attempt('vocabulary', collectionFiles.items, damaged, async () => {
      const { catalogue, users } = await Collection.readVocabularies(path, manifest);
      for (const [subject, size, id, find] of [
        [collectionFiles.items, catalogue.size, (i: number) => catalogue.id(i), (text: string) => catalogue.find(text)],
        [collectionFiles.users, users.size, (i: number) => users.at(i), (text: string) => users.find(text)],
      ] as const) {
        let lost = 0;
        for (let i = 0; i < size; i++) {
          if (i % 10_000 === 0) {
            await breathe(this.settings.signal);
            this.#progress('vocabulary', subject, i, size);
          }
          if (find(id(i)) !== i) lost++;
        }
        if (lost > 0)
          this.#found('vocabulary', subject, 'FORMAT', `${subject}: ${lost} of ${size} are not found by their id.`);
      }
    });
  }

  /** Work of which an error of ours is a finding. */
  async #attempt(
    check: CheckName,
    subject: string,
    damaged: ReadonlySet<string>,
    work: () => Promise<void>,
  ): Promise<void> {
    throwIfAborted(this.settings.signal);
    if (damaged.has(subject)) return;
    try {
      await work();
    } catch (cause) {
      if (!(cause instanceof NighError) || cause.code === 'ABORTED') throw cause;
      this.#found(check, subject, cause.code, cause.message);
    }
  }

  #found(check: CheckName, subject: string, code: ErrorCode, message: string): void {
    this.#findings.push({ check, generation: this.#generation, subject, code, message });
  }

  #progress(stage: VerifyProgress['stage'], subject: string, done: number, total: number): void {
    this.settings.onProgress?.({ stage, subject, done, total });
  }
}
