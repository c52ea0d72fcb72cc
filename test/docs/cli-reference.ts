/** docs/reference/cli.md: what `--help` says, of every command. */
import { nigh } from '../cli/nigh-command.js';
import { type GeneratedPage, page } from './pages.js';

export function cliReference(): GeneratedPage {
  const whole = help();
  const names = [...whole.matchAll(/^ {2}([a-z]+) [^\n]*/gm)].map(([, name = '']) => name);
  if (names.length < 10) throw new Error(`Commands were not found in the help:\n${whole}`);
  const parts = [
    'Data goes to stdout, as a table or with `--json` as the object that the library and the service give; messages and progress go to stderr. Exit code 0 is done, 1\n' +
      'failed, 2 wrong usage, 130 stopped by Ctrl-C.',
    fenced(whole),
    ...names.flatMap((name) => [`## nigh ${name}`, fenced(help(name))]),
  ];
  return page('cli.md', 'The command line', 'what `--help` prints', parts);
}

function help(...command: string[]): string {
  const { status, stdout, stderr } = nigh([...command, '--help'], { env: { COLUMNS: '', NO_COLOR: '1' } });
  if (status !== 0) throw new Error(`nigh ${command.join(' ')} --help: ${stderr}`);
  return stdout.trim();
}

const fenced = (text: string) => `\`\`\`text\n${text}\n\`\`\``;
