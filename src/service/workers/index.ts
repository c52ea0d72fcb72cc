/** Several processes that serve the same: what `nigh serve --workers` is made of. */
export { superviseWorkers } from './supervisor.js';
export { isWorker, stopOfWatcher } from './worker.js';
export { isWriter } from './writer.js';
