// Writes the neighbours of a collection, and kills itself before the n-th call that changes a file; a write is then half done. Prints the number
// of calls that it made. It runs the build, not the sources.
//   node killed-neighbors.mjs <collection> <path> <options as JSON> <n>
import { writeSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [collection, path, options, moment] = process.argv.slice(2);
let calls = 0;

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment: nothing more may happen until then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

const before = (half) => {
  calls++;
  if (calls !== Number(moment)) return;
  half?.();
  die();
};

for (const name of ['rename', 'link', 'rm', 'truncate']) {
  const real = fs[name];
  fs[name] = (...args) => {
    before();
    return real(...args);
  };
}
syncBuiltinESMExports();

const handle = await fs.open(process.execPath, 'r');
const prototype = Object.getPrototypeOf(handle);
await handle.close();
const { write, appendFile, datasync } = prototype;
prototype.write = function (bytes, at, ...rest) {
  before(() => writeSync(this.fd, bytes, at, Math.floor((bytes.length - at) / 2)));
  return write.call(this, bytes, at, ...rest);
};
prototype.appendFile = function (text) {
  before(() => writeSync(this.fd, text.slice(0, text.length / 2)));
  return appendFile.call(this, text);
};
prototype.datasync = function () {
  before();
  return datasync.call(this);
};

const { Retriever, writeNeighbors } = await import(new URL('../../../dist/retrieval/index.js', import.meta.url));
const retriever = await Retriever.open(collection);
await writeNeighbors(retriever.neighbors(JSON.parse(options)), path);
await retriever.close();
console.log(calls);
