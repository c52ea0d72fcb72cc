/**
 * The embedding `features`: columns as blocks, each at unit length and weighted, so that the likeness of two items is
 *
 *   Σ w_b · likeness_b(x_b, y_b)      over the columns that both have; w_b are the weights as shares of their sum
 *
 * What the likeness of a column is, its type says: term-features.ts (categories, tags), number-features.ts (numbers, dates). What becomes
 * of a column that an item lacks, and how a question asks with other weights, blocks.ts. An item of which no column is known has no
 * vector; items of which the same is known are equally near to everything, and come in the order of the catalogue.
 */
import { breathe } from '../../core/abort.js';
import { invalidArgument, NighError } from '../../core/errors.js';
import { zeros } from '../../core/matrix.js';
import { didYouMean } from '../../core/nearest-name.js';
import { type ParamsOf, readParams } from '../../core/params.js';
import type { Column, Dataset } from '../../data/dataset.js';
import { type Block, composeBlocks, composeVector, toShares } from '../blocks.js';
import type { Embedder, Embedding, FitContext, FittedSpace, Vectors } from '../embedding.js';
import { ModelReader } from '../model-reader.js';
import type { FeatureEncoder, FeatureValue, FittedFeature } from './feature-kind.js';
import { type FeatureRule, featureRules, readFeatureRules } from './feature-rules.js';

const schema = {
  /** What is made of which column: an object of column names, each with its `type` and the keys of that type. */
  blocks: featureRules,
};

export type FeaturesParams = ParamsOf<typeof schema>;

export const features: Embedding<FeaturesParams> = {
  name: 'features',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readParams(schema, params, path),
  requireColumns: (dataset, { blocks }) => {
    for (const rule of blocks) columnOf(dataset, rule);
  },
  fit,
  openEmbedder,
};

/** Between two breaths of the event loop. */
const itemsAtOnce = 2_000;

async function fit(dataset: Dataset, { blocks: rules }: FeaturesParams, context: FitContext): Promise<FittedSpace> {
  const items = dataset.items.size;
  const fitted: FittedFeature[] = [];
  const parts: Vectors[] = [];
  for (const [b, rule] of rules.entries()) {
    const { values, ordinals } = valuesOf(dataset, rule);
    fitted.push(rule.fit(values));
    const encoder = rule.open(fitted[b]!);
    const matrix = zeros(ordinals.length, encoder.dim);
    for (const [r, value] of values.entries()) {
      if (r % itemsAtOnce === 0) {
        await breathe(context.signal);
        context.onProgress?.(b * items + r, rules.length * items);
      }
      const vector = encoder.encode(value);
      if (vector !== undefined) matrix.data.set(vector, r * encoder.dim);
    }
    parts.push({ matrix, ordinals });
  }
  context.onProgress?.(rules.length * items, rules.length * items);
  const blocks = toBlocks(
    rules,
    parts.map(({ matrix }) => matrix.dim),
  );
  const { vectors, coverage } = composeBlocks(blocks, parts, items);
  if (vectors.ordinals.length === 0) {
    throw new NighError(
      'EMPTY_DATASET',
      `features: none of ${items} items has anything in ${rules.map(({ column }) => column).join(', ')}.`,
    );
  }
  return {
    items: vectors,
    likeness: vectors.matrix,
    blocks,
    model: { blocks: Object.fromEntries(rules.map(({ column, given }) => [column, given])), fitted },
    notes: {
      ...Object.fromEntries(Object.entries(coverage).map(([name, count]) => [`itemsWith.${name}`, count])),
      withoutVector: items - vectors.ordinals.length,
    },
  };
}

/** @throws NighError MISSING_COLUMN, INVALID_ARGUMENT for a column of another type */
function columnOf(dataset: Dataset, { column: name, type, columns }: FeatureRule): Column {
  const column = dataset.columns.get(name);
  if (column === undefined) {
    const known = [...dataset.columns.keys()];
    const hint = didYouMean(name, known) || ` It has: ${known.join(', ')}.`;
    throw new NighError(
      'MISSING_COLUMN',
      `blocks.${name}: the dataset ${dataset.origin.name} has no such column.${hint}`,
    );
  }
  if (!columns.includes(column.type)) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `blocks.${name}: the type ${type} reads columns of ${columns.join(', ')}, this is one of ${column.type}.`,
    );
  }
  return column;
}

/** @throws NighError as columnOf, EMPTY_DATASET for a column without a value */
function valuesOf(dataset: Dataset, rule: FeatureRule): { values: FeatureValue[]; ordinals: Uint32Array } {
  const { column: name } = rule;
  const column = columnOf(dataset, rule);
  const values: FeatureValue[] = [];
  const ordinals: number[] = [];
  column.values.forEach((value, item) => {
    if (value === undefined) return;
    values.push(value);
    ordinals.push(item);
  });
  if (values.length === 0) throw new NighError('EMPTY_DATASET', `blocks.${name}: no item has a value in this column.`);
  return { values, ordinals: Uint32Array.from(ordinals) };
}

function toBlocks(rules: readonly FeatureRule[], dims: readonly number[]): Block[] {
  const shares = toShares(Object.fromEntries(rules.map(({ column, weight }) => [column, weight])));
  return rules.map(({ column }, b) => ({ name: column, weight: shares[column]!, dim: dims[b]! }));
}

/** Attributes → the vector that the fit would have given such an item. */
async function openEmbedder(stored: Readonly<Record<string, unknown>>): Promise<Embedder> {
  const reader = new ModelReader('features', stored);
  const rules = reader.parsed('blocks', readFeatureRules);
  const fitted = reader.objects('fitted', rules.length);
  const encoders = rules.map((rule, b): FeatureEncoder => rule.open(fitted[b]!));
  const blocks = toBlocks(
    rules,
    encoders.map(({ dim }) => dim),
  );
  return {
    dim: blocks.reduce((sum, { dim }) => sum + dim, 0),
    embed: async ({ attributes = {} }) => {
      const parts = rules.map(({ column, columns }, b) => {
        const value = attributes[column];
        if (value === undefined) return undefined;
        if (!columns.includes(columnTypeOf(value))) {
          throw invalidArgument(`attributes.${column}`, `a value of a column of ${columns.join(', ')}`, value);
        }
        return encoders[b]!.encode(value);
      });
      return composeVector(blocks, parts);
    },
  };
}

function columnTypeOf(value: FeatureValue): 'text' | 'number' | 'tags' {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'tags';
}
