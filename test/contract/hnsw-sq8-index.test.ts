import { hnswSq8, reopened } from './subjects.js';
import { vectorIndexContract } from './vector-index.contract.js';

vectorIndexContract(hnswSq8);
vectorIndexContract(reopened(hnswSq8, 'mmap'));
