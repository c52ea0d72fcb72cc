/** The contract of every vector index, in one call: what an engine must pass to stand behind the interface. */
import { describe } from 'vitest';
import { answersContract } from './answers.contract.js';
import { badInputContract } from './bad-input.contract.js';
import { concurrencyContract } from './concurrency.contract.js';
import { filesContract } from './files.contract.js';
import { filtersContract } from './filters.contract.js';
import { hostileInputContract } from './hostile-input.contract.js';
import { lifeContract } from './life.contract.js';
import { lifecycleContract } from './lifecycle.contract.js';
import { liveContract } from './live.contract.js';
import type { Subject } from './subjects.js';

export function vectorIndexContract(subject: Subject): void {
  describe(subject.name, () => {
    answersContract(subject);
    filtersContract(subject);
    badInputContract(subject);
    hostileInputContract(subject);
    if (subject.files !== false) filesContract(subject);
    concurrencyContract(subject);
    lifecycleContract(subject);
    liveContract(subject);
    lifeContract(subject, Math.ceil(subject.runs / 10));
  });
}
