import { hnsw, reopened } from './subjects.js';
import { vectorIndexContract } from './vector-index.contract.js';

vectorIndexContract(hnsw);
vectorIndexContract(reopened(hnsw, 'memory'));
vectorIndexContract(reopened(hnsw, 'mmap'));
