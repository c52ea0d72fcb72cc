/**
 * Which spaces of a recipe have to be made, and which would come out as they are in the live generation and are taken over.
 *
 * A space is made anew where its recipe, a file that the recipe names, or a part of the dataset that its fit read is another one; where a space that
 * it uses is; and where one that uses it is, since that needs its vectors. What a fit reads was noted when it last ran (dataset-inputs.ts).
 */
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { buildOrder } from '../build-order.js';
import type { SpaceManifest } from '../generation.js';
import { type LeftOutSpace, leftOutSpaces } from '../left-out.js';
import { stampFile } from '../packed-file.js';
import type { Recipe, SpaceRecipe } from '../recipe.js';
import { spaceFiles } from '../space.js';
import type { EarlierGeneration } from '../upkeep/share-files.js';
import { DatasetDigests, notCompared } from './dataset-inputs.js';
import { digest, madeOf, type SpaceRecord, sumsOf } from './space-record.js';

/** What is to be done for one space. */
export interface PlannedSpace {
  readonly space: string;
  readonly embedding: string;
  readonly action: 'make' | 'take over' | 'leave out';
  /** Why: what is another than it was, in words. Empty where it is taken over. */
  readonly because: readonly string[];
}

export interface BuildPlan {
  /** The live generation, which spaces are taken over from. */
  readonly generation: string | undefined;
  /** In the order of the work. */
  readonly spaces: readonly PlannedSpace[];
  /** Whether everything is as it is in the live generation: there is nothing to do. */
  readonly unchanged: boolean;
}

/** The plan with what the build needs of it. */
export interface WorkPlan extends BuildPlan {
  readonly digests: DatasetDigests;
  /** The spaces that are made, and those that are taken over, in their order. */
  readonly order: readonly SpaceRecipe[];
  readonly leftOut: readonly LeftOutSpace[];
  readonly taken: ReadonlyMap<string, { readonly manifest: SpaceManifest; readonly record: SpaceRecord }>;
}

/** @param earlier the live generation; undefined where there is none, or nothing is to be taken over @throws NighError IO, and as SpaceRecipe.requireColumns */
export async function planBuild(
  recipe: Recipe,
  dataset: Dataset,
  earlier: EarlierGeneration | undefined,
): Promise<WorkPlan> {
  const digests = new DatasetDigests(dataset);
  const all = buildOrder(recipe.spaces, 'spaces');
  const leftOut = await leftOutSpaces(all);
  const order = all.filter(({ name }) => !leftOut.some((space) => space.name === name));
  // Here and not at its fit: what a space lacks is told before others are trained for an hour.
  for (const space of order) await space.requireColumns(dataset);
  const reasons = new Map<string, string[]>();
  for (const space of order) {
    const because = await changesOf(recipe, space, earlier, digests);
    for (const used of space.uses)
      if ((reasons.get(used)?.length ?? 0) > 0) because.push(`the space ${used} is made anew`);
    reasons.set(space.name, because);
  }
  // What uses others comes after them.
  for (const { name, uses } of order.toReversed()) {
    if (reasons.get(name)!.length === 0) continue;
    for (const used of uses) {
      const because = reasons.get(used)!;
      if (because.length === 0) because.push(`the space ${name} is made of its vectors`);
    }
  }
  const taken = new Map(
    order
      .filter(({ name }) => reasons.get(name)!.length === 0)
      .map(({ name }) => {
        const { spaces, made } = earlier!.manifest;
        return [name, { manifest: spaces.find((space) => space.name === name)!, record: made!.spaces[name]! }] as const;
      }),
  );
  const spaces = order.map(({ name, embedding }): PlannedSpace => {
    const because = reasons.get(name)!;
    return { space: name, embedding, action: because.length === 0 ? 'take over' : 'make', because };
  });
  for (const { name, embedding, needs } of leftOut) {
    spaces.push({ space: name, embedding, action: 'leave out', because: [`it is optional and needs ${needs}`] });
  }
  return {
    generation: earlier?.manifest.generation,
    spaces,
    unchanged: taken.size === order.length && isSame(recipe, earlier, digests, order.length),
    digests,
    order,
    leftOut,
    taken,
  };
}

async function changesOf(
  recipe: Recipe,
  space: SpaceRecipe,
  earlier: EarlierGeneration | undefined,
  digests: DatasetDigests,
): Promise<string[]> {
  const { name } = space;
  const manifest = earlier?.manifest;
  const known = manifest?.spaces.find((built) => built.name === name);
  if (manifest === undefined || known === undefined) return ['it was not built before'];
  const record = manifest.made?.spaces[name];
  if (record === undefined) return ['what it was made of is not known'];
  const made = await madeOf(recipe, space);
  const changed: string[] = [];
  for (const part of new Set([...Object.keys(made), ...Object.keys(record.made)])) {
    if (made[part] !== record.made[part])
      changed.push(part === 'recipe' ? 'its recipe is another' : `${part} is another`);
  }
  for (const [part, was] of Object.entries(record.inputs)) {
    if (was === notCompared || digests.of(part) === notCompared) changed.push(`${part} cannot be compared`);
    else if (digests.of(part) !== was) changed.push(`the dataset's ${part} changed`);
  }
  for (const { recallAt10 } of [known.similar, ...(known.recommend === undefined ? [] : [known.recommend])]) {
    if (recallAt10 < recipe.recallFloor) changed.push('its recall is below the floor');
  }
  const sums = sumsOf(manifest.files, filesOf(name));
  if (JSON.stringify(sums) !== JSON.stringify(record.files)) changed.push('its files were changed since it was built');
  else if (changed.length === 0 && !(await areSound(earlier!, record))) changed.push('its files are damaged');
  return changed;
}

/** Whether the files of a space are still what was written. */
async function areSound({ directory }: EarlierGeneration, { files }: SpaceRecord): Promise<boolean> {
  for (const [name, sha256] of Object.entries(files)) {
    const stamp = await stampFile(join(directory, name)).catch(() => undefined);
    if (stamp?.sha256 !== sha256) return false;
  }
  return true;
}

/** Every file that a space may have. */
export function filesOf(space: string): string[] {
  return Object.values(spaceFiles).map((name) => name(space));
}

function isSame(
  recipe: Recipe,
  earlier: EarlierGeneration | undefined,
  digests: DatasetDigests,
  spaces: number,
): boolean {
  const made = earlier?.manifest.made;
  if (earlier === undefined || made === undefined || earlier.manifest.spaces.length !== spaces) return false;
  // Kept pictures are files outside, which nobody has compared.
  if (recipe.pictures) return false;
  const sums = sumsOf(earlier.manifest.files, Object.keys(made.files));
  return (
    made.recipe === digest(recipe.json) &&
    made.dataset === digests.whole &&
    JSON.stringify(sums) === JSON.stringify(made.files)
  );
}
