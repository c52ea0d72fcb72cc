import { flat, reopened } from './subjects.js';
import { vectorIndexContract } from './vector-index.contract.js';

vectorIndexContract(flat);
vectorIndexContract(reopened(flat, 'memory'));
vectorIndexContract(reopened(flat, 'mmap'));
