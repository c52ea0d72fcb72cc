/** Whole lives by the thousand; the contract tries some of each engine. */
import { describe } from 'vitest';
import { lifeContract } from './life.contract.js';
import { flat, hnsw, hnswF16, hnswSq8 } from './subjects.js';

describe.each([flat, hnsw, hnswSq8, hnswF16])('$name', (subject) => {
  lifeContract(subject, 1500);
});
