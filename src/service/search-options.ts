import { numbersByName } from '../core/numbers-text.js';
import type { QueryOptions } from '../retrieval/types.js';

/**
 * The options of a query string as the library takes them: weights are written `cf=0.7,text=0.3`.
 * @throws NighError INVALID_ARGUMENT
 */
export function searchOptions<Parameters extends { readonly weights?: string }>({
  weights,
  ...others
}: Parameters): Omit<Parameters, 'weights'> & Pick<QueryOptions, 'weights'> {
  return { ...others, ...(weights === undefined ? {} : { weights: numbersByName(weights, 'weights') }) };
}
