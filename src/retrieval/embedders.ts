import { NighError } from '../core/errors.js';
import type { Embedder } from '../embeddings/embedding.js';
import { lookUpEmbedding } from '../embeddings/registry.js';
import type { Manifest } from './generation.js';
import type { GenerationFiles } from './generation-files.js';
import { spaceFiles } from './space.js';

/** What places texts and pictures in the spaces of a generation; each is opened when the first question needs it. */
export class Embedders {
  readonly #files: GenerationFiles;
  readonly #manifest: Manifest;
  readonly #opened = new Map<string, Promise<Embedder | undefined>>();

  constructor(files: GenerationFiles, manifest: Manifest) {
    this.#files = files;
    this.#manifest = manifest;
  }

  /**
   * The embedder of a space, or undefined where it takes more than content to be placed in it.
   * @throws NighError NOT_FOUND, IO, TRUNCATED, CHECKSUM_MISMATCH, FORMAT, OPTIONAL_PACKAGE
   */
  of(space: string): Promise<Embedder | undefined> {
    const known = this.#opened.get(space);
    if (known !== undefined) return known;
    const opening = this.#open(space);
    this.#opened.set(space, opening);
    // What failed is tried again by the next question.
    opening.catch(() => this.#opened.delete(space));
    return opening;
  }

  async close(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    for (const embedder of await Promise.allSettled(opened)) {
      if (embedder.status === 'fulfilled') await embedder.value?.close?.();
    }
  }

  async #open(name: string): Promise<Embedder | undefined> {
    const space = this.#manifest.spaces.find((candidate) => candidate.name === name);
    const embedding = space === undefined ? undefined : lookUpEmbedding(space.embedding);
    if (embedding?.openEmbedder === undefined) return undefined;
    const model = await this.#files.readModel(spaceFiles.model(name));
    try {
      return await embedding.openEmbedder(model, async (other) => {
        // Its own, since a space of others closes those that it opened.
        const embedder = await this.#open(other);
        if (embedder === undefined) throw new NighError('UNSUPPORTED', `The space ${other} has no embedder.`);
        return embedder;
      });
    } catch (cause) {
      // A space of others of which one takes more than content.
      if (cause instanceof NighError && cause.code === 'UNSUPPORTED') return undefined;
      throw cause;
    }
  }
}
