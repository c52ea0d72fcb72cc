import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { command, nigh, repository, requireBuild } from './nigh-command.js';

beforeAll(requireBuild);

/** The names below `Commands:` in the help. */
function commandNames(): string[] {
  const list = nigh(['--help']).stdout.split('Commands:\n')[1]?.split('\n\n')[0] ?? '';
  return [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name ?? '');
}

test('the help lists every command, and each has a help of its own with an example that names it', () => {
  const names = commandNames();
  expect(names).toEqual([
    'fetch',
    'build',
    'similar',
    'recommend',
    'neighbors',
    'embed',
    'evaluate',
    'bench',
    'inspect',
    'import',
    'export',
    'verify',
    'compact',
    'rollback',
    'backup',
    'push',
    'restore',
    'serve',
  ]);
  for (const name of names) {
    const { status, stdout, stderr } = nigh([name, '--help']);
    expect({ status, stderr }, name).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`\\nExamples?:\\n(  \\$ .*\\n)*  \\$ (NIGH_\\w+=\\S+ )?nigh ${name} `));
    expect(stdout).toContain('--json');
  }
});

test('--version is the package’s', () => {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
  expect(nigh(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

test('without a command the help goes to stderr and the exit code is 2', () => {
  const { status, stdout, stderr } = nigh([]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('Commands:');
});

test('an unknown command names the nearest one and ends with 2', () => {
  const { status, stdout, stderr } = nigh(['simlar', 'emoji', 'apple']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/Unknown command 'simlar'\. Did you mean similar\? \[INVALID_ARGUMENT\]/);
});

test('a reader that goes away early is no failure', () => {
  const pipeline = `"$0" "$1" fetch --list --json | (exec 0<&-; sleep 1); echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', pipeline, process.execPath, command], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
});

test('the help loads neither the core nor the service, and only serve loads the service', () => {
  const loaded = (...args: string[]) => {
    const hooks = `import { writeSync } from 'node:fs';
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        writeSync(2, 'LOADED ' + found.url + '\\n');
        return found;
      }`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
    const importing = ['--import', `data:text/javascript,${encodeURIComponent(register)}`];
    const { stderr } = spawnSync(process.execPath, [...importing, command, ...args], { encoding: 'utf8' });
    const modules = stderr.split('\n').filter((line) => line.startsWith('LOADED '));
    // What the repository's own folder is called is no matter.
    return modules.join('\n').replaceAll(pathToFileURL(repository).href, '');
  };
  const help = loaded('--help');
  expect(help).toContain('LOADED');
  expect(help).not.toMatch(/fastify|msgpackr|\/retrieval\/|\/binding\/|\/embeddings\//);
  const inspecting = loaded('inspect', 'nowhere/nothing');
  expect(inspecting).not.toMatch(/fastify|\/service\//);
});
