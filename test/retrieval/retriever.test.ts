import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { refused, retrieverContract } from './retriever.contract.js';
import { itemIds, likes, smallRecipe, spaces as smallSpaces, writeSmallWorld } from './support/small-world.js';

let directory: string;
let world: Retriever;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-retriever-'));
  await writeSmallWorld(directory);
  await buildCollection(smallRecipe(directory), join(directory, 'world'));
  world = await Retriever.open(join(directory, 'world'));
});

afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

const inCf = itemIds.filter((id) => [...likes.values()].some((liked) => liked.includes(id)));
const ids = (answer: { results: readonly { id: string }[] }) => answer.results.map(({ id }) => id);

retrieverContract(() => world, 'hnsw');

describe('closing', () => {
  it('answers questions under way when it is closed, and none afterwards', async () => {
    const own = await Retriever.open(join(directory, 'world'), { mode: 'memory' });
    const underWay = Array.from({ length: 20 }, () => own.similarItems('river-1', { k: 5 }));
    await own.close();
    for (const answer of await Promise.all(underWay)) expect(answer.results).toHaveLength(5);
    await refused(() => own.similarItems('river-1'), 'CLOSED', /small-world/);
    await refused(() => own.item('river-1'), 'CLOSED', /small-world/);
    await own.close();
    await refused(
      () => Retriever.open(join(directory, 'world'), { mode: 'mapped' } as never),
      'INVALID_ARGUMENT',
      /mode/,
    );
  });
});

describe('engines', () => {
  it.each(['flat', 'hnswlib', 'hnsw'])('answers alike with an index of kind %s', async (kind) => {
    const target = join(directory, `engine-${kind}`);
    const space = (name: 'cf' | 'text') => ({ ...smallSpaces[name], index: { kind } });
    await buildCollection(smallRecipe(directory, { spaces: { cf: space('cf'), text: space('text') } }), target, {
      threads: 1,
    });
    await using other = await Retriever.open(target);
    expect(other.info.spaces.map(({ similar }) => similar.kind)).toEqual([kind, kind]);
    for (const item of ['river-4', 'opera-20', 'lonely-1']) {
      const exact = await world.similarItems(item, { exact: true });
      const answer = await other.similarItems(item);
      expect(ids(answer).filter((id) => ids(exact).includes(id)).length).toBeGreaterThanOrEqual(8);
    }
    const all = await other.recommend('user-1-1', { k: 500 });
    expect(all.results).toHaveLength(inCf.length - likes.get('user-1-1')!.length);
  });
});
