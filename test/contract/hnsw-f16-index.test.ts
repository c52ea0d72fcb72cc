import { hnswF16, reopened } from './subjects.js';
import { vectorIndexContract } from './vector-index.contract.js';

vectorIndexContract(hnswF16);
vectorIndexContract(reopened(hnswF16, 'mmap'));
