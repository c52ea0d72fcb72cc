import { invalidArgument } from '../../core/errors.js';
import { type Field, isPlainObject } from '../../core/params.js';
import type { KeyedPredicate } from './filter-cache.js';
import { predicateOfObject } from './where-object.js';
import { predicateOfText } from './where-text.js';

/** The key `where` of a question: an object, or text. */
export const whereField: Field<KeyedPredicate | undefined> = {
  optional: true,
  read: (value, path) => {
    if (typeof value === 'string') return { predicate: predicateOfText(value, path), key: `text ${value}` };
    if (!isPlainObject(value)) {
      throw invalidArgument(path, 'an object of attributes and conditions, or such a condition as text', value);
    }
    return { predicate: predicateOfObject(value, path), key: JSON.stringify(value) };
  },
};
