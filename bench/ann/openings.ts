import { median } from 'nigh/evaluation';
import type { OpenMode } from '../algorithms/algorithm.js';
import { type OpenAnswer, runChild } from '../children/child.js';
import type { DatasetReference } from '../datasets/registry.js';
import type { Nearest } from './batches.js';
import type { Contender } from './contender.js';

const queriesAfterOpening = 200;

export type Openings = Partial<Record<OpenMode, OpenAnswer>>;

/** Each opening in a process of its own, so often, medians by mode; the engines must be closed, since a mapped file is not forgotten. */
export async function measureOpenings(
  contenders: readonly Pick<Contender, 'spec' | 'algorithm' | 'built'>[],
  nearest: ReadonlyMap<string, Nearest>,
  dataset: DatasetReference,
  { cold, times }: { readonly cold: boolean; readonly times: number },
): Promise<Map<string, Openings>> {
  const openings = new Map<string, Openings>();
  for (const { spec, algorithm, built } of contenders) {
    const modes: Openings = {};
    for (const mode of algorithm.openModes) {
      const answers: OpenAnswer[] = [];
      for (let each = 0; each < times; each++) {
        answers.push(
          await runChild({
            task: 'open',
            dataset,
            algorithm: spec,
            path: built.path,
            mode,
            cold,
            effort: nearest.get(spec.key)!.effort,
            queries: queriesAfterOpening,
          }),
        );
      }
      modes[mode] = medianOf(answers);
    }
    openings.set(spec.key, modes);
  }
  return openings;
}

function medianOf(answers: readonly OpenAnswer[]): OpenAnswer {
  const of = (figure: 'firstQueryMs' | 'openBytes' | 'searchedBytes') => median(answers.map((each) => each[figure]));
  const opened = answers.map(({ openMs }) => openMs).filter((ms) => ms !== null);
  return {
    openMs: opened.length === 0 ? null : median(opened),
    firstQueryMs: of('firstQueryMs'),
    openBytes: of('openBytes'),
    searchedBytes: of('searchedBytes'),
  };
}
