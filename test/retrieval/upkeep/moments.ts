/** The commands that change a collection's files, run as processes that die, or whose calls fail, at a chosen moment. */
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import { loadRecipe } from '../../../src/retrieval/recipe.js';
import { backupCollection } from '../../../src/retrieval/upkeep/backup-collection.js';
import { restoreCollection } from '../../../src/retrieval/upkeep/restore-collection.js';
import { verifyCollection } from '../../../src/retrieval/upkeep/verify-collection.js';
import { command, requireBuild } from '../../cli/nigh-command.js';
import { seeded } from '../../embeddings/support.js';
import { ModelDisk, type Survival } from '../../support/faults/disk.js';
import { type Call, type Fault, type Outcome, runFaulty } from '../../support/faults/program.js';
import { answersOf, writeKeptWorld } from '../support/kept-world.js';

export const operations = ['build', 'rollback', 'backup', 'restore'] as const;
export type Operation = (typeof operations)[number];

/**
 * A folder with the recipes `old` and `new`; `world`, of which gen-000001 was built by old and gen-000002, which is live, by new; and
 * `old.tar`, a backup of the first.
 */
export class Moments {
  readonly directory = mkdtempSync(join(tmpdir(), 'nigh-moments-'));
  /** What is left of the last run. */
  readonly folder = join(this.directory, 'folder');
  readonly world = join(this.folder, 'world');
  readonly backup = join(this.folder, 'world.tar');
  readonly #sound = join(this.directory, 'sound');
  readonly #counted = new Map<Operation, readonly Call[]>();
  answers = { old: '', new: '' };

  async prepare(): Promise<void> {
    requireBuild();
    const world = join(this.#sound, 'world');
    await buildIn(this.#sound, 'old', world);
    this.answers.old = await answersOf(world);
    await backupCollection(world, join(this.#sound, 'old.tar'));
    await backupCollection(world, join(this.#sound, 'world.tar'));
    await buildIn(this.#sound, 'new', world);
    this.answers.new = await answersOf(world);
    expect(this.answers.new).not.toBe(this.answers.old);
  }

  /** The calls of an operation that nothing happens to. */
  async callsOf(operation: Operation): Promise<readonly Call[]> {
    const known = this.#counted.get(operation);
    if (known !== undefined) return known;
    const { code, stderr, calls } = await this.run(operation);
    expect(stderr === '' || code === 0, stderr).toBe(true);
    expect(code, stderr).toBe(0);
    this.#counted.set(operation, calls);
    return calls;
  }

  /** Runs an operation on a fresh copy of everything. */
  async run(operation: Operation, fault?: Fault, killAfterMs?: number): Promise<Outcome> {
    await this.#copyAll();
    return runFaulty([command, ...this.#argumentsOf(operation)], { root: this.folder, fault, killAfterMs });
  }

  async #copyAll(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    cpSync(this.#sound, this.folder, { recursive: true });
  }

  /**
   * Runs an operation and loses power after some of its calls; each time, what the disk may then hold is left in the folder.
   * @param moments chooses, of so many calls, after how many; in ascending order
   */
  async losePower(
    operation: Operation,
    moments: (calls: number) => readonly { readonly after: number; readonly survival: Survival }[],
    look: (what: string, isOver: boolean) => Promise<void>,
  ): Promise<void> {
    await this.#copyAll();
    const disk = new ModelDisk(realpathSync(this.folder));
    const program = [command, ...this.#argumentsOf(operation)];
    const { code, stderr, calls, bytes } = await runFaulty(program, { root: this.folder, keepBytes: true });
    expect(code, stderr).toBe(0);
    let played = 0;
    for (const { after, survival } of moments(calls.length)) {
      for (; played < after; played++) disk.play(calls[played]!, bytes);
      await rm(this.folder, { recursive: true, force: true });
      disk.leave(this.folder, survival);
      await look(`${operation}, power lost after ${after} of ${calls.length}`, after === calls.length);
    }
  }

  #argumentsOf(operation: Operation): string[] {
    switch (operation) {
      case 'build':
        return ['build', join(this.folder, 'old.json'), '--out', this.world];
      case 'rollback':
        return ['rollback', this.world];
      case 'backup':
        return ['backup', this.world, '--to', this.backup];
      case 'restore':
        return ['restore', join(this.folder, 'old.tar'), '--to', this.world, '--force'];
    }
  }

  /** Whatever happened: one of the two states is there, whole, at once; nothing else is; and the next build goes through. */
  async expectWhole(operation: Operation, what: string): Promise<'old' | 'new'> {
    const answers = await answersOf(this.world);
    const state = answers === this.answers.new ? 'new' : 'old';
    expect(answers, what).toBe(this.answers[state]);
    expect((await verifyCollection(this.world, { threads: 1 })).findings, what).toEqual([]);
    if (operation === 'backup') {
      expect(state, what).toBe('new');
      const restored = join(this.folder, 'restored');
      await restoreCollection(this.backup, restored);
      expect([this.answers.old, this.answers.new], what).toContain(await answersOf(restored));
    }
    return state;
  }

  /** After whatever was left behind. */
  async expectNextBuild(what: string): Promise<void> {
    await buildIn(this.folder, 'new', this.world, false);
    expect(await answersOf(this.world), what).toBe(this.answers.new);
  }

  remove(): void {
    if (existsSync(this.directory)) rmSync(this.directory, { recursive: true });
  }
}

async function buildIn(folder: string, recipe: string, world: string, write = true): Promise<void> {
  if (write) {
    const { mkdirSync } = await import('node:fs');
    mkdirSync(folder, { recursive: true });
    await writeKeptWorld(folder);
  }
  await buildCollection(await loadRecipe(join(folder, `${recipe}.json`)), world, { threads: 1 });
}

/** Losses of power at moments that a seed chooses, and one at the end, which takes all that is not flushed. */
export function randomLosses(count: number, seed: number) {
  const random = seeded(seed);
  return (calls: number): { after: number; survival: Survival }[] => {
    const some = Array.from({ length: count }, () => Math.floor(random() * (calls + 1))).sort((a, b) => a - b);
    const survivals: Survival[] = [random, 'nothing', random, 'everything'];
    return [
      ...some.map((after, n) => ({ after, survival: survivals[n % survivals.length]! })),
      { after: calls, survival: 'nothing' },
    ];
  };
}

/** Faults at moments that a seed chooses, evenly over all calls. */
export function randomFault(calls: readonly Call[], seed: number, hows: readonly Fault['how'][]): Fault {
  const random = seeded(seed);
  return { at: 1 + Math.floor(random() * calls.length), how: hows[Math.floor(random() * hows.length)]! };
}
