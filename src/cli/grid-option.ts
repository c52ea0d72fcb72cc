import { describe } from '../core/errors.js';
import type { RecipeGrid } from '../evaluation/tune-recipe.js';
import { UsageError } from './errors.js';

/** Collects `space.parameter=value,value` options; a value that reads as a number or as true or false is one. */
export function gridValues(text: string, previous: RecipeGrid = {}): RecipeGrid {
  const parts = /^([^.=]+)\.([^.=]+)=(.+)$/.exec(text);
  const values = parts?.[3]?.split(',').map((value) => value.trim());
  if (parts === null || values === undefined || values.includes('')) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--grid: expected space.parameter=value,value, such as cf.factors=32,64, got ${describe(text)}.`,
    );
  }
  const [, space, parameter] = parts as unknown as [string, string, string];
  return { ...previous, [space]: { ...previous[space], [parameter]: values.map(readValue) } };
}

function readValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}
