import { reopened, sparse } from './subjects.js';
import { vectorIndexContract } from './vector-index.contract.js';

vectorIndexContract(sparse);
vectorIndexContract(reopened(sparse, 'memory'));
vectorIndexContract(reopened(sparse, 'mmap'));
