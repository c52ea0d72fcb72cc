import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildSummary, buildCollection, planCollection } from '../../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../../src/retrieval/recipe.js';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { smallRecipeJson, writeSmallWorld } from '../support/small-world.js';

let directory: string;
let built: string;

const spaces = {
  cf: { embedding: 'als', factors: 8, iterations: 4 },
  text: { embedding: 'tfidf', fields: { title: 1, genres: 1 }, dim: 16, numbers: false },
  facts: { embedding: 'features', blocks: { year: { type: 'number' } } },
  both: { embedding: 'concat', of: { text: 1, facts: 1 } },
  given: { embedding: 'precomputed', file: 'given.jsonl', index: { kind: 'flat' } },
};

const recipeOf = (changes: object = {}) =>
  parseRecipe(JSON.stringify({ ...smallRecipeJson, spaces, ...changes }), directory);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-reuse-'));
  await writeSmallWorld(directory);
  await writeFile(join(directory, 'given.jsonl'), '{"id":"river-1","vector":[1,2]}\n{"id":"river-2","vector":[2,1]}\n');
  built = join(directory, 'built');
  await buildCollection(recipeOf(), built, { threads: 1 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function copied(): Promise<string> {
  const target = await mkdtemp(join(directory, 'copy-'));
  await cp(built, target, { recursive: true });
  return target;
}

const made = ({ plan }: Pick<BuildSummary, 'plan'>) =>
  plan.spaces.filter(({ action }) => action === 'make').map(({ space }) => space);

async function editing<T>(file: string, edit: (text: string) => string, work: () => Promise<T>): Promise<T> {
  const path = join(directory, file);
  const before = await readFile(path, 'utf8');
  await writeFile(path, edit(before));
  try {
    return await work();
  } finally {
    await writeFile(path, before);
  }
}

async function answers(target: string) {
  await using world = await Retriever.open(target);
  const ask = (space: string) => world.similarItems('river-1', { space, k: 20, exact: true, fallback: true });
  return Promise.all(Object.keys(spaces).map(async (space) => (await ask(space)).results));
}

describe('a build that takes over what would come out the same', () => {
  it('makes no generation where nothing has changed', async () => {
    const target = await copied();
    const summary = await buildCollection(recipeOf(), target, { reuse: true });
    expect(summary.plan).toMatchObject({ generation: 'gen-000001', unchanged: true });
    expect(summary.info.generation).toBe('gen-000001');
    expect(made(summary)).toEqual([]);
    expect((await readFile(join(target, 'CURRENT'), 'utf8')).trim()).toBe('gen-000001');
    // Without it everything is made.
    const anew = await buildCollection(recipeOf(), target);
    expect(made(anew)).toHaveLength(5);
    expect(anew.info.generation).toBe('gen-000002');
  });

  it('makes exactly what depends on a change, whether of the recipe, of the dataset or of a file', {
    timeout: 60_000,
  }, async () => {
    const likes = (text: string) => text.split('\n').slice(1).join('\n');
    const cases: [what: string, made: string[], changes: object, file?: string, edit?: (text: string) => string][] = [
      ['factors', ['cf'], { spaces: { ...spaces, cf: { ...spaces.cf, factors: 9 } } }],
      [
        'a part of another space',
        ['text', 'facts', 'both'],
        { spaces: { ...spaces, text: { ...spaces.text, dim: 12 } } },
      ],
      [
        'an index',
        ['facts', 'text', 'both'],
        { spaces: { ...spaces, facts: { ...spaces.facts, index: { kind: 'flat' } } } },
      ],
      ['interactions', ['cf'], {}, 'likes.jsonl', likes],
      ['a note that no space reads', [], {}, 'items.jsonl', (text) => text.replace('a note', 'another note')],
      [
        'a title',
        ['text', 'facts', 'both'],
        {},
        'items.jsonl',
        (text) => text.replace('The river song', 'The river dance'),
      ],
      ['vectors in a file', ['given'], {}, 'given.jsonl', (text) => text.replace('[1,2]', '[1,3]')],
    ];
    for (const [what, expected, changes, file, edit] of cases) {
      const target = await copied();
      const work = async () => {
        const plan = await planCollection(recipeOf(changes), target);
        const summary = await buildCollection(recipeOf(changes), target, { reuse: true, threads: 1 });
        expect(made(summary).sort(), what).toEqual([...expected].sort());
        expect(plan, what).toEqual(summary.plan);
        expect(summary.info.generation, what).toBe('gen-000002');
        for (const { because, action } of plan.spaces) expect(because.length > 0, what).toBe(action === 'make');
        // As if all had been made.
        const whole = join(await mkdtemp(join(directory, 'whole-')), 'world');
        await buildCollection(recipeOf(changes), whole, { threads: 1 });
        expect(await answers(target), what).toEqual(await answers(whole));
        // What was taken over is one file under two names.
        for (const space of Object.keys(spaces).filter((name) => !expected.includes(name))) {
          const [one, two] = await Promise.all(
            ['gen-000001', 'gen-000002'].map((name) => stat(join(target, name, `${space}.ann`))),
          );
          expect([what, space, one!.ino]).toEqual([what, space, two!.ino]);
        }
        // And again there is nothing to do.
        expect((await planCollection(recipeOf(changes), target)).unchanged, what).toBe(true);
      };
      if (file === undefined) await work();
      else await editing(file, edit!, work);
    }
  });

  it('does not take over what was damaged, or is of another hand', async () => {
    const damaged = await copied();
    const path = join(damaged, 'gen-000001', 'cf.ann');
    const bytes = await readFile(path);
    bytes[bytes.length - 100]! ^= 1;
    await rm(path);
    await writeFile(path, bytes);
    const summary = await buildCollection(recipeOf(), damaged, { reuse: true });
    expect(made(summary)).toEqual(['cf']);
    expect(summary.plan.spaces[0]).toMatchObject({ because: ['its files are damaged'] });
    await (await Retriever.open(damaged)).close();

    // Below a floor that was raised since.
    const floor = await planCollection(recipeOf({ recallFloor: 1 }), await copied());
    const below = floor.spaces.filter(({ because }) => because.some((why) => why.includes('floor')));
    for (const { action } of below) expect(action).toBe('make');
    // A collection that was built nowhere.
    const nowhere = await planCollection(recipeOf(), join(directory, 'nowhere'));
    expect(nowhere).toMatchObject({ generation: undefined, unchanged: false });
    expect(nowhere.spaces.every(({ action }) => action === 'make')).toBe(true);
  });
});
