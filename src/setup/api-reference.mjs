// The reference of the library, by typedoc from the doc comments. typedoc is run from the registry at a pinned release, see package-tests.mjs.
import { inRoot } from './paths.mjs';
import { step } from './report.mjs';
import { npmCommand, run } from './run-command.mjs';

const packages = ['typedoc@0.28.20', 'typescript@6.0.3'];

/** @returns {Promise<string>} the folder */
export async function apiReference() {
  const { command, args } = npmCommand();
  const spec = packages.map((name) => `--package=${name}`);
  await step('Writing the API reference', () =>
    run(command, [...args, 'exec', '--yes', ...spec, '--', 'typedoc', '--options', inRoot('typedoc.json')]),
  );
  return inRoot('build/api');
}
