/** A process that makes changes and is killed, or whose disk fails, again and again; and what must hold after each time. */
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { verifyCollection } from '../../../src/retrieval/upkeep/verify-collection.js';
import { requireBuild } from '../../cli/nigh-command.js';
import { ModelDisk, type Survival } from '../../support/faults/disk.js';
import { type Fault, type Outcome, runFaulty } from '../../support/faults/program.js';
import { LiveModel } from '../support/live-model.js';
import { applyToModel, drawStep, expectSame, type Step } from '../support/live-steps.js';
import { type RandomWorld, randomWorld } from '../support/random-world.js';

const program = fileURLToPath(new URL('../support/live-writer.mjs', import.meta.url));

export interface Round {
  readonly steps: number;
  /** Changes that are sent together. */
  readonly width: number;
  /** So many sendings between two compactions; 0 for none. */
  readonly compactEvery: number;
  /** A change that the disk fails is sent so many times. Default 1. */
  readonly tries?: number;
  readonly fault?: Fault | undefined;
  /** Only calls on files of the collection count, and can fail: not those on what the test itself writes. Default false. */
  readonly collectionOnly?: boolean;
  readonly killAfterMs?: number | undefined;
  /** Whether the disk is there afterwards for losses of power. Default false. */
  readonly keepBytes?: boolean;
}

export class KillRounds {
  directory = '';
  #world: RandomWorld | undefined;
  #disk: ModelDisk | undefined;
  #played = 0;

  /** The collection of the round. */
  get collection(): string {
    return join(this.directory, 'round', 'collection');
  }

  get answers(): string {
    return join(this.directory, 'round', 'answers');
  }

  async prepare(): Promise<void> {
    requireBuild();
    this.directory = await mkdtemp(join(tmpdir(), 'nigh-kills-'));
    await mkdir(join(this.directory, 'world'));
    this.#world = await randomWorld(join(this.directory, 'world'), 5, 'hnsw');
  }

  /** Changes that each fit what those before leave. */
  steps(count: number, seed: number): Step[] {
    const model = new LiveModel(this.#world!);
    return Array.from({ length: count }, (_, n) => {
      const step = drawStep(model, seed * 1000 + n);
      applyToModel(model, step);
      return step;
    });
  }

  /** On a fresh copy of the collection, unless it goes on with the one that the last round left. */
  async run(
    steps: readonly Step[],
    { width, compactEvery, tries = 1, fault, killAfterMs, collectionOnly = false, keepBytes = false }: Round,
    fresh = true,
  ): Promise<Outcome> {
    const folder = join(this.directory, 'round');
    if (fresh) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
      await cp(this.#world!.directory, this.collection, { recursive: true });
    }
    const file = join(folder, 'steps.json');
    await writeFile(file, JSON.stringify(steps));
    await writeFile(this.answers, '');
    const args = [program, this.collection, file, this.answers, String(width), String(compactEvery), String(tries)];
    this.#disk = keepBytes ? new ModelDisk(await realpath(folder)) : undefined;
    this.#played = 0;
    return runFaulty(args, { root: collectionOnly ? this.collection : folder, fault, killAfterMs, keepBytes });
  }

  /**
   * Leaves what the disk may hold where power is lost after so many calls of the last round, which kept its bytes. Whoever was answered
   * remembers it.
   * @param calls not fewer than the last time
   */
  async losePower({ calls, bytes }: Outcome, after: number, survival: Survival): Promise<void> {
    for (; this.#played < after; this.#played++) {
      const call = calls[this.#played]!;
      const remembered = call.name === 'write' && call.path === this.answers;
      this.#disk!.play(remembered ? { ...call, name: 'flushed-write' } : call, bytes);
    }
    const folder = join(this.directory, 'round');
    await rm(folder, { recursive: true, force: true });
    this.#disk!.leave(folder, survival);
  }

  /** The highest change that was answered. */
  async answered(): Promise<number> {
    const lines = (await readFile(this.answers, 'utf8')).split('\n');
    return Math.max(0, ...lines.slice(0, -1).flatMap((line) => (/^\d+$/.test(line) ? [Number(line)] : [])));
  }

  /**
   * Every change that was answered is there, in its order, and none after the first that is not; the collection opens at once and is sound.
   * @returns how many changes are there
   */
  async expectWhole(steps: readonly Step[], what: string): Promise<number> {
    const answered = await this.answered();
    const retriever = await Retriever.open(this.collection, { write: true, compactAfter: 0 });
    try {
      const { sequence } = retriever.journal!;
      expect(sequence, what).toBeGreaterThanOrEqual(answered);
      expect(sequence, what).toBeLessThanOrEqual(steps.length);
      const model = new LiveModel(this.#world!);
      for (const step of steps.slice(0, sequence)) applyToModel(model, step);
      await expectSame(retriever, model, true);
      expect((await verifyCollection(this.collection, { threads: 1 })).findings, what).toEqual([]);
      return sequence;
    } finally {
      await retriever.close();
    }
  }

  async remove(): Promise<void> {
    if (this.directory !== '') await rm(this.directory, { recursive: true, force: true });
  }
}
