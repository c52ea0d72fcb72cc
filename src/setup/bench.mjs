// npm run bench -- <dataset> [options]: recall against speed beside hnswlib-node (bench/README.md).
import { ensureBuilt } from './ensure.mjs';
import { inRoot } from './paths.mjs';
import { script, step } from './report.mjs';
import { run } from './run-command.mjs';

await script(async () => {
  await ensureBuilt();
  await step('Compiling the benchmarks', () =>
    run(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), '--project', inRoot('bench/tsconfig.json')]),
  );
  await run(process.execPath, [inRoot('build/bench/ann.js'), ...process.argv.slice(2)], { visible: true });
  return 0;
});
