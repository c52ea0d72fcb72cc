// npm start: from a bare clone to answers. Installs and compiles what is missing, builds the two demo collections that are not there, asks
// each a question through the command line, and serves both with the explorer. `npm start -- --once` stops after the answers.
import { existsSync } from 'node:fs';
import { ensureBuilt } from './ensure.mjs';
import { inRoot } from './paths.mjs';
import { bold, dim, SetupProblem, say, script, secondsSince } from './report.mjs';
import { CommandFailed, run } from './run-command.mjs';

const demos = ['npm-packages', 'emoji'];

const questions = [
  ['similar', 'npm-packages', 'express'],
  ['similar', 'npm-packages', 'gulp-sass', '--space', 'text'],
  ['recommend', 'npm-packages', '--liked', 'express', '--liked', 'socket.io'],
  ['similar', 'emoji', 'red apple'],
];

await script(async () => {
  const began = performance.now();
  const { once, port } = options(process.argv.slice(2));
  await ensureBuilt({ optional: false });
  const absent = demos.filter((name) => !existsSync(inRoot('indexes', name, 'CURRENT')));
  if (absent.length > 0) await nigh(['build', ...absent]);
  for (const question of questions) await nigh([...question, '-k', '8']);
  say(dim(`\nReady after ${secondsSince(began)}.`));
  if (once) return 0;
  return await nigh(['serve', ...demos, '--port', port]);
});

/** @param {readonly string[]} args */
function options(args) {
  const unknown = args.find((arg) => arg !== '--once');
  if (unknown !== undefined)
    throw new SetupProblem(`npm start knows --once only, not ${unknown}; for anything else use the nigh command.`);
  return { once: args.includes('--once'), port: process.env.PORT ?? '8080' };
}

/**
 * Runs the command line in front of the reader, as the reader would. The message of a failure is the command's own.
 * @param {readonly string[]} args
 */
async function nigh(args) {
  say(`\n${bold(`$ nigh ${args.map(quoted).join(' ')}`)}`);
  try {
    await run(process.execPath, [inRoot('dist/cli/main.js'), ...args], { visible: true });
    return 0;
  } catch (error) {
    if (error instanceof CommandFailed) process.exit(error.exitCode);
    throw error;
  }
}

/** @param {string} text */
function quoted(text) {
  return /^[\w@./:-]+$/.test(text) ? text : `'${text}'`;
}
