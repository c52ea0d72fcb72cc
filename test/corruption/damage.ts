/** One byte after the other of a small collection is altered: an error of ours, or the answers that it gave before. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { readManifest, writeManifest } from '../../src/retrieval/generation.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { collectionAnswers } from '../golden/answers.mjs';

const golden = join(import.meta.dirname, '../golden/collection-v1/collection');

/**
 * A copy of the golden collection to be damaged, without its space of hnswlib, whose worker takes longer to start than all else to be asked;
 * its file is damaged in test/contract.
 */
export class Damaged {
  readonly directory = mkdtempSync(join(tmpdir(), 'nigh-damaged-'));
  #answers = '';
  /** Openings that were tried, refused, and answered right. */
  readonly counts = { tried: 0, refused: 0, right: 0 };

  async prepare(): Promise<void> {
    cpSync(golden, this.directory, { recursive: true });
    const generation = join(this.directory, 'gen-000001');
    const { spaces, files, ...manifest } = await readManifest(generation);
    const isLeft = (name: string) => !name.startsWith('near');
    for (const name of Object.keys(files)) if (!isLeft(name)) rmSync(join(generation, name));
    rmSync(join(generation, 'manifest.json'));
    await writeManifest(generation, {
      ...manifest,
      spaces: spaces.filter(({ name }) => isLeft(name)),
      files: Object.fromEntries(Object.entries(files).filter(([name]) => isLeft(name))),
    });
    this.#answers = await this.#ask('mmap');
  }

  /** Every file that is read when a collection is opened and asked. */
  files(): string[] {
    const generation = readdirSync(join(this.directory, 'gen-000001')).sort();
    return ['CURRENT', ...generation.map((name) => `gen-000001/${name}`)];
  }

  bytesOf(file: string): Buffer {
    return readFileSync(join(this.directory, file));
  }

  /** Puts other bytes in the place of a file's, asks, and puts the file back. */
  async expectHarmless(file: string, bytes: Uint8Array, what: string): Promise<void> {
    const path = join(this.directory, file);
    const whole = readFileSync(path);
    try {
      writeFileSync(path, bytes);
      const mode = this.counts.tried++ % 2 === 0 ? 'mmap' : 'memory';
      const outcome = await this.#ask(mode).catch((error: unknown) => error);
      if (typeof outcome === 'string') {
        expect(outcome === this.#answers, `${what}, ${mode}: a wrong answer`).toBe(true);
        this.counts.right++;
      } else {
        expect(outcome instanceof NighError && outcome.code !== 'INTERNAL', `${what}, ${mode}: ${outcome}`).toBe(true);
        this.counts.refused++;
      }
    } finally {
      writeFileSync(path, whole);
    }
  }

  async #ask(mode: 'mmap' | 'memory'): Promise<string> {
    await using world = await Retriever.open(this.directory, { mode });
    return JSON.stringify(await collectionAnswers(world));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The file with one bit of this byte flipped. */
export function flipped(bytes: Buffer, at: number): Buffer {
  const altered = Buffer.from(bytes);
  altered[at] = altered[at]! ^ (1 << ((at * 5) % 8));
  return altered;
}
