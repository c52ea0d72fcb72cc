/** Random changes of a random world, made to a model and to a Retriever alike. */
import { expect } from 'vitest';
import type { Where } from '../../../src/retrieval/filters/predicate.js';
import type { Retriever } from '../../../src/retrieval/retriever.js';
import { seeded } from '../../embeddings/support.js';
import type { LiveModel, ModelItem, Scored } from './live-model.js';

const kinds = ['book', 'film', 'song'];
const tags = ['red', 'blue', 'old', 'new', 'odd'];
const wheres: readonly (Where | undefined)[] = [
  undefined,
  { kind: 'film' },
  { year: { gte: 2000 } },
  { tags: { hasAny: ['red', 'odd'] } },
  { not: { kind: 'book' } },
];

/** One change, as data: made the same way to a model and to a collection. */
export type Step =
  | { readonly kind: 'upsert'; readonly id: string; readonly fields: Partial<ModelItem> }
  | { readonly kind: 'delete'; readonly id: string }
  | { readonly kind: 'interact'; readonly events: readonly { user: string; item: string; value: number }[] }
  | { readonly kind: 'forget'; readonly user: string };

/** A change that fits the state of the model, drawn by a seed. */
export function drawStep(model: LiveModel, seed: number): Step {
  const random = seeded(seed);
  const below = (n: number) => Math.floor(random() * n);
  const vector = () => Array.from({ length: 6 }, () => Math.fround(random() * 2 - 1));
  const anItem = () => [...model.items.keys()][below(model.items.size)] ?? 'i0';
  const aUser = () => [...model.users.keys()][below(model.users.size)] ?? 'u0';
  const drawn = random();
  if (drawn < 0.45 || model.items.size < 5) {
    const isNew = random() < 0.5;
    const fields: Partial<ModelItem> = {
      ...(random() < 0.5 ? { title: `Title ${below(9)} of ${kinds[below(3)]}` } : {}),
      ...(random() < 0.5
        ? {
            attributes: {
              ...(random() < 0.8 ? { year: 1980 + below(40) } : {}),
              ...(random() < 0.8 ? { kind: kinds[below(3)]! } : {}),
              ...(random() < 0.6 ? { tags: [tags[below(5)]!] } : {}),
            },
          }
        : {}),
      vectors: {
        ...(random() < 0.6 ? { look: vector() } : {}),
        ...(random() < 0.6 ? { taste: vector() } : {}),
      },
    };
    return { kind: 'upsert', id: isNew ? `n${below(30)}` : anItem(), fields };
  }
  if (drawn < 0.65) return { kind: 'delete', id: random() < 0.9 ? anItem() : `n${below(30)}` };
  if (drawn < 0.9) {
    const events = Array.from({ length: 1 + below(4) }, () => ({
      user: random() < 0.7 ? aUser() : `v${below(6)}`,
      item: anItem(),
      value: 1 + below(5),
    }));
    return { kind: 'interact', events };
  }
  return { kind: 'forget', user: random() < 0.8 ? aUser() : `v${below(6)}` };
}

export function applyToModel(model: LiveModel, step: Step): boolean {
  switch (step.kind) {
    case 'upsert':
      model.upsert(step.id, step.fields);
      return true;
    case 'delete':
      return model.delete(step.id);
    case 'interact':
      for (const { user, item, value } of step.events) model.interact(user, item, value);
      return true;
    case 'forget':
      return model.forget(step.user);
  }
}

/** @returns the change's number, and whether there was something to take away */
export function applyToRetriever(
  retriever: Retriever,
  step: Step,
  requestId?: string,
): Promise<{ readonly sequence: number; readonly existed?: boolean }> {
  const options = requestId === undefined ? {} : { requestId };
  switch (step.kind) {
    case 'upsert': {
      const { title, attributes, vectors } = step.fields;
      return retriever.upsertItem(
        step.id,
        {
          ...(title === undefined ? {} : { title }),
          ...(attributes === undefined ? {} : { attributes }),
          ...(vectors === undefined ? {} : { vectors }),
        },
        options,
      );
    }
    case 'delete':
      return retriever.deleteItem(step.id, options);
    case 'interact':
      return retriever.addInteractions(step.events, options);
    case 'forget':
      return retriever.forgetUser(step.user, options);
  }
}

/** Everything that can be asked, compared with the model. `exact` compares orders, not only how many there are. */
export async function expectSame(retriever: Retriever, model: LiveModel, exact: boolean): Promise<void> {
  const { info } = retriever;
  expect([info.items, info.users, info.interactions]).toEqual([model.items.size, model.users.size, model.interactions]);
  const ids = [...model.items.keys()];
  for (const id of ids) {
    const own = model.items.get(id)!;
    const { title, attributes, interactions, spaces } = retriever.item(id);
    expect({ id, title, attributes, interactions, spaces: [...spaces].sort() }).toEqual({
      id,
      title: own.title,
      attributes: own.attributes,
      interactions: model.popularity(id),
      spaces: Object.keys(own.vectors).sort(),
    });
    expect(retriever.resolveItem(id)).toBe(id);
  }
  for (const [w, where] of wheres.entries()) {
    const k = [3, 10, 1000][w % 3]!;
    const options = { k, exact, ...(where === undefined ? {} : { where }) };
    for (const id of ids.slice(w, w + 4)) {
      for (const space of ['look', 'taste'].filter((name) => model.items.get(id)!.vectors[name] !== undefined)) {
        const { results } = await retriever.similarItems(id, { ...options, space });
        expectRanking(results, model.similar(id, space, where), k, exact);
      }
    }
    for (const user of model.users.keys()) {
      const expected = model.recommend(user, where);
      if (expected === undefined) continue;
      const { results } = await retriever.recommend(user, { ...options, space: 'taste' });
      expectRanking(results, expected, k, exact);
    }
  }
  const found = retriever.findItems('', { limit: 10_000 });
  expect(found.map(({ id }) => id).sort()).toEqual([...ids].sort());
  const films = ids.filter((id) => / of film$/.test(model.items.get(id)!.title));
  expect(
    retriever
      .findItems('of film', { limit: 10_000 })
      .map(({ id }) => id)
      .sort(),
  ).toEqual(films.sort());
}

function expectRanking(results: readonly Scored[], expected: readonly Scored[], k: number, exact: boolean): void {
  expect(results.length).toBe(Math.min(k, expected.length));
  const scores = new Map(expected.map(({ id, score }) => [id, score]));
  for (const [at, { id, score }] of results.entries()) {
    expect(score).toBeCloseTo(scores.get(id)!, 4);
    if (exact) expect(score).toBeCloseTo(expected[at]!.score, 4);
  }
}
