/**
 * Whole lives of an index that can change: every kind of change and question, saved and opened in between, aborted on the way. After each step
 * it answers as a map of the last vectors would; beside changes that are under way, as such a map would have at some moment of the search.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import type { Matrix } from '../../src/core/matrix.js';
import { IdSet } from '../../src/index/id-set.js';
import { openIndex } from '../../src/index/open-index.js';
import {
  isMutable,
  isSync,
  type MetricName,
  type MutableVectorIndex,
  type SearchOptions,
  type SearchResult,
  type VectorIndex,
} from '../../src/index/vector-index.js';
import { expectSame, expectSound, expectTrue, rowOfBatch, vectorOf } from './expectations.js';
import { clustered, rowOf } from './matrices.js';
import { Model } from './model.js';
import { distance } from './oracle.js';
import { type Subject, temporaryDirectory } from './subjects.js';

const dim = 7;

/** Vectors that steps choose from; few enough for equal ones to meet. */
const supply = clustered(400, dim, 91);

interface Change {
  readonly do: 'add' | 'replace' | 'upsert' | 'remove';
  readonly ids: readonly number[];
  readonly from: number;
  /** Stopped once so many rows are done; 0: not. */
  readonly abortAfter: number;
}
interface Question {
  readonly do: 'ask';
  readonly from: number;
  readonly k: number;
  readonly filter: { readonly deny: boolean; readonly ids: readonly number[] } | undefined;
  /** The distance behind so many of a hundred matches; undefined: any. */
  readonly within: number | undefined;
  readonly effort: SearchOptions;
}
type Step =
  | Change
  | Question
  | { readonly do: 'compact' | 'verify' | 'repair' | 'save' | 'exchange' }
  | { readonly do: 'open'; readonly mode: 'memory' | 'mmap'; readonly which: number };

const anyIds = fc.oneof(
  { weight: 6, arbitrary: fc.uniqueArray(fc.integer({ min: 0, max: 150 }), { maxLength: 30 }) },
  // Runs of ids: as many as make an index grow, be compacted, and come into its own plans.
  {
    weight: 1,
    arbitrary: fc
      .record({ first: fc.integer({ min: 0, max: 600 }), count: fc.integer({ min: 50, max: 400 }) })
      .map(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)),
  },
);
const from = fc.nat(supply.rows - 1);
const anyChange: fc.Arbitrary<Change> = fc.record({
  do: fc.constantFrom('add', 'replace', 'upsert', 'upsert', 'remove'),
  ids: anyIds,
  from,
  abortAfter: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 99 }) },
  ),
});
const anyQuestion: fc.Arbitrary<Question> = fc.record({
  do: fc.constant('ask'),
  from,
  k: fc.integer({ min: 1, max: 40 }),
  filter: fc.option(fc.record({ deny: fc.boolean(), ids: anyIds }), { nil: undefined }),
  within: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  effort: fc.oneof<fc.Arbitrary<SearchOptions>[]>(
    fc.constant({ exact: true }),
    fc.record({ efSearch: fc.integer({ min: 1, max: 80 }) }),
    fc.record({ recall: fc.constantFrom(0.5, 0.9, 0.99) }),
    fc.record({ refineFactor: fc.integer({ min: 1, max: 5 }) }),
  ),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: anyChange },
  { weight: 8, arbitrary: anyQuestion },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('compact', 'verify', 'repair', 'save', 'exchange') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('open'), mode: fc.constantFrom('memory', 'mmap'), which: fc.nat(9) }),
  },
);

/** `runs`: how often each property is tried. */
export function lifeContract(subject: Subject, runs: number): void {
  if (subject.changes !== 'allowed') return;
  describe('a whole life', () => {
    const directory = temporaryDirectory();
    let files = 0;
    const metrics = fc.constantFrom(...(subject.changing ?? subject.metrics));
    const build = async (metric: MetricName, model: Model) => {
      const { matrix, ids } = model.matrix();
      return mutable(await subject.build(matrix, { metric, ids }));
    };

    test('of any changes, questions, files and aborts: each answer is that of a map', async () => {
      await fc.assert(
        fc.asyncProperty(metrics, fc.array(anyStep, { minLength: 10, maxLength: 60 }), async (metric, steps) => {
          const model = new Model(dim);
          const saved: { path: string; model: Model }[] = [];
          let index = await build(metric, model);
          try {
            for (const step of steps) {
              switch (step.do) {
                case 'ask':
                  await ask(index, model, metric, step);
                  break;
                case 'compact':
                  await index.compact();
                  break;
                case 'verify':
                case 'repair':
                  expect(await index.verify({ repair: step.do === 'repair' })).toMatchObject(soundness(model));
                  break;
                case 'save':
                case 'exchange': {
                  const path = join(directory, `${files++}.ann`);
                  await index.save(path);
                  saved.push({ path, model: model.copy() });
                  if (step.do === 'save') break;
                  index.close();
                  index = mutable(await openIndex(path));
                  break;
                }
                case 'open': {
                  const one = saved[step.which % Math.max(1, saved.length)];
                  if (one === undefined) break;
                  using opened = await openIndex(one.path, { mode: step.mode });
                  await compare(opened, one.model, metric);
                  break;
                }
                default:
                  await change(index, model, step);
              }
              expect(index.size).toBe(model.rows.size);
            }
            await compare(index, model, metric);
            expect(await index.verify()).toMatchObject(soundness(model));
          } finally {
            index.close();
          }
        }),
        { numRuns: runs },
      );
    });

    test('of changes while others search: each answer is that of a map at one moment of the search', async () => {
      await fc.assert(
        fc.asyncProperty(
          metrics,
          fc.array(anyChange, { minLength: 5, maxLength: 25 }),
          fc.array(anyQuestion, { minLength: 5, maxLength: 25 }),
          async (metric, changes, questions) => {
            const model = new Model(dim);
            model.put(
              rowsFrom(0, 120),
              Array.from({ length: 120 }, (_, r) => r),
            );
            const index = await build(metric, model);
            // Every state that a search may have seen, in order. One under way is added before it begins.
            const states = [model.copy()];
            let settled = 0;
            let over = false;
            const write = async () => {
              for (const [at, step] of changes.entries()) {
                const after = model.copy();
                apply(after, step);
                states.push(after);
                await change(index, model, step);
                if (at % 5 === 4) await index.compact();
                // An aborted one has left what was there before.
                states.push(model.copy());
                settled = states.length - 1;
              }
              over = true;
            };
            const read = async (seed: number) => {
              for (let q = seed; !over; q++) {
                const question = questions[q % questions.length]!;
                const earliest = settled;
                const { query, options, allowed } = told(question);
                const found = await index.search(query, question.k, options);
                const seen = states.slice(earliest).some((state) => fits(found, state, metric, question, allowed));
                if (!seen) throw new Error(`no state between answers ${JSON.stringify(question)} by ${found.ids}`);
                await new Promise(setImmediate);
              }
            };
            try {
              await Promise.all([write(), read(0), read(7), read(13)]);
              await compare(index, model, metric);
            } finally {
              index.close();
            }
          },
        ),
        { numRuns: runs },
      );
    });
  });
}

function mutable(index: VectorIndex): MutableVectorIndex {
  if (!isMutable(index)) throw new Error(`expected an index that can change, got ${index.kind}`);
  return index;
}

const soundness = (model: Model) => ({ live: model.rows.size, dangling: 0, unreachable: 0, notFound: 0, repaired: 0 });

function rowsFrom(first: number, count: number): Matrix {
  const data = new Float32Array(count * dim);
  for (let i = 0; i < count; i++) data.set(rowOf(supply, (first + i * 7) % supply.rows), i * dim);
  return { data, rows: count, dim };
}

/** The code with which a change is to be refused, or undefined. */
function refusal(model: Model, step: Change): string | undefined {
  if (step.do === 'add') return step.ids.some(model.has) ? 'DUPLICATE_ID' : undefined;
  if (step.do === 'upsert') return undefined;
  return step.ids.every(model.has) ? undefined : 'UNKNOWN_ID';
}

function apply(model: Model, step: Change): void {
  if (refusal(model, step) !== undefined) return;
  if (step.do === 'remove') for (const id of step.ids) model.rows.delete(id);
  else model.put(rowsFrom(step.from, step.ids.length), step.ids);
}

/** Makes a change to the index, and to the model what it should have made. */
async function change(index: MutableVectorIndex, model: Model, step: Change): Promise<void> {
  const controller = new AbortController();
  const options =
    step.abortAfter === 0
      ? {}
      : {
          signal: controller.signal,
          onProgress: (done: number) => {
            if (done >= step.abortAfter) controller.abort();
          },
        };
  const matrix = rowsFrom(step.from, step.ids.length);
  const made = {
    add: () => index.add(matrix, step.ids, options),
    replace: () => index.replace(matrix, step.ids, options),
    upsert: () => index.replace(matrix, step.ids, { ...options, addMissing: true }),
    remove: () => index.remove(step.ids, options),
  };
  // Long ones report before they are over; for the others the signal fires as soon as they have begun.
  const making = made[step.do]();
  if (step.abortAfter % 2 === 1) controller.abort();
  const code = await making.then(
    () => undefined,
    (error: unknown) => (error instanceof NighError ? error.code : String(error)),
  );
  if (code === 'ABORTED' && step.abortAfter > 0) return;
  expect(code).toBe(refusal(model, step));
  apply(model, step);
}

/** What a question is in the words of the index, but for `within`, which depends on what is stored. */
function told({ from: row, filter, effort }: Question) {
  const listed = new Set(filter?.ids);
  const allowed = (id: number) => filter === undefined || listed.has(id) !== filter.deny;
  const set = filter === undefined ? {} : { filter: filter.deny ? IdSet.deny(filter.ids) : IdSet.allow(filter.ids) };
  // Halfway between stored vectors: no query is one of them.
  const query = rowOf(supply, row).map((value, j) => value + rowOf(supply, (row * 7 + 1) % supply.rows)[j]! / 64);
  return { query, options: { ...effort, ...set } satisfies SearchOptions, allowed };
}

/** Asks, in every way there is, and compares. */
async function ask(index: MutableVectorIndex, model: Model, metric: MetricName, question: Question): Promise<void> {
  const { query, options, allowed } = told(question);
  const ranked = model.ranked(metric, query, allowed);
  const at = Math.floor((ranked.length * (question.within ?? 100)) / 100);
  const [inside, outside] = [ranked[at - 1]?.distance, ranked[at]?.distance];
  // Between two that are clearly apart, so that rounding decides nothing.
  const bounded =
    question.within !== undefined && inside !== undefined && outside !== undefined && outside - inside > 1e-3;
  const within = bounded ? (inside + outside) / 2 : undefined;
  const truth = bounded ? ranked.slice(0, at) : ranked;
  const wanted = { ...options, within };
  const found = await index.search(query, question.k, wanted);
  if (index.capabilities.exact || options.exact) expectTrue(found, truth.slice(0, question.k));
  if (!bounded) expect(found.ids.length).toBe(Math.min(question.k, truth.length));
  expect(Array.from(found.ids).every(allowed)).toBe(true);
  if (within !== undefined) expect(found.distances.every((value) => value <= Math.fround(within))).toBe(true);
  expectSound(found, query, { ...model.matrix(), metric });
  if (isSync(index)) expectSame(index.searchSync(query, question.k, wanted), found);
  const batch = await index.searchBatch({ data: query, rows: 1, dim }, question.k, wanted);
  // A batch of a flat index scans codes by blocks: the ids and distances are the same, the graph's walk is too.
  expectSame(rowOfBatch(batch, 0), found);
}

/** Everything in the model is in the index, and nothing else is. */
async function compare(index: VectorIndex, model: Model, metric: MetricName): Promise<void> {
  expect(index.size).toBe(model.rows.size);
  const query = rowOf(supply, 3);
  const all = await index.search(query, model.rows.size + 10, { exact: true });
  expectTrue(all, model.ranked(metric, query));
  expect(Array.from(all.ids).sort()).toEqual(Array.from(model.rows.keys()).sort());
  for (const id of [...model.rows.keys(), 2000]) expect((await vectorOf(index, id)) !== undefined).toBe(model.has(id));
  const batch = await index.searchBatch(supply, 5);
  expect(batch.counts.every((count) => count === Math.min(5, model.rows.size))).toBe(true);
}

/** Whether an answer, found without `within`, is one that this state could have given. */
function fits(
  { ids, distances }: SearchResult,
  state: Model,
  metric: MetricName,
  { k, effort, ...question }: Question,
  allowed: (id: number) => boolean,
): boolean {
  const { query } = told({ ...question, k, effort });
  const near = (found: number, truth: number) => Math.abs(found - truth) <= 1e-5 * Math.max(1, Math.abs(truth));
  const theirs = Array.from(ids, (id) => {
    const row = allowed(id) ? state.rows.get(id) : undefined;
    return row === undefined ? Number.NaN : distance(metric, query, row);
  });
  if (!theirs.every((truth, i) => near(distances[i]!, truth))) return false;
  const ranked = state.ranked(metric, query, allowed);
  if (ids.length !== Math.min(k, ranked.length)) return false;
  return effort.exact !== true || theirs.every((truth, i) => near(truth, ranked[i]!.distance));
}
