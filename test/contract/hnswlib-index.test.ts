import { hnswlib, reopened } from './subjects.js';
import { vectorIndexContract } from './vector-index.contract.js';

vectorIndexContract(hnswlib);
vectorIndexContract(reopened(hnswlib, 'memory'));
