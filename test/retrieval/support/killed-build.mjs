// Builds the small world's collection, and kills itself at a given moment: before the n-th call to the file system, or at the first
// report of a stage. Prints the calls that it made. It runs the build, not the sources.
//   node killed-build.mjs <directory> <target> <n or stage>
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const [directory, target, moment] = process.argv.slice(2);
const calls = [];

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment: nothing more may happen until then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

for (const name of ['open', 'rename', 'link', 'rm', 'mkdir', 'readdir', 'readFile', 'writeFile', 'stat']) {
  const real = fs[name];
  fs[name] = (...args) => {
    calls.push(name);
    if (calls.length === Number(moment)) die();
    return real(...args);
  };
}
syncBuiltinESMExports();

const dist = new URL('../../../dist/retrieval/', import.meta.url);
const { buildCollection, loadRecipe } = await import(new URL('index.js', dist));
const recipe = await loadRecipe(join(directory, 'recipe.json'));
await buildCollection(recipe, target, {
  threads: 1,
  onProgress: ({ stage }) => {
    if (stage === moment) die();
  },
});
console.log(JSON.stringify(calls));
