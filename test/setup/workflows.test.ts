/** The workflows cannot run here; what can be wrong in them without that is looked for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { nodeReleases } from '../../src/setup/node-matrix.mjs';
import { inRoot } from '../../src/setup/paths.mjs';
import { releasedPlatforms } from '../../src/setup/prebuild.mjs';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Job {
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
  readonly needs?: readonly string[];
  readonly steps: readonly Step[];
  readonly strategy?: {
    readonly matrix: Readonly<Record<string, readonly (string | { readonly platform: string })[]>>;
  };
}
interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (path: string) => readFileSync(inRoot('.github', path), 'utf8');

function parsed<T>(path: string): T {
  const document = parseDocument(read(path), { strict: true, uniqueKeys: true });
  expect([...document.errors, ...document.warnings], path).toEqual([]);
  return document.toJS();
}

const workflows = readdirSync(inRoot('.github/workflows'));

describe.each(workflows)('%s', (name) => {
  test('every job has a machine, an end and steps that are a command or an action of a fixed release', () => {
    const { jobs, permissions } = parsed<Workflow>(join('workflows', name));
    expect(permissions).toEqual({ contents: 'read' });
    for (const [id, job] of Object.entries(jobs)) {
      expect(job['runs-on'], id).toBeTypeOf('string');
      expect(job['timeout-minutes'], id).toBeGreaterThan(0);
      for (const other of job.needs ?? []) expect(Object.keys(jobs)).toContain(other);
      for (const step of job.steps) {
        expect((step.uses === undefined) !== (step.run === undefined), `${id}: ${JSON.stringify(step)}`).toBe(true);
        if (step.uses !== undefined) expect(step.uses).toMatch(/^actions\/[\w-]+@v\d+$/);
      }
    }
  });

  test('every script and every file that a command names exists', () => {
    const text = read(join('workflows', name));
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
    const called = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script);
    expect(called.filter((script) => scripts[script] === undefined)).toEqual([]);
    for (const [file] of text.matchAll(/src\/setup\/[\w-]+\.mjs|\.ci\/run/g)) readFileSync(inRoot(file));
  });
});

test('CI tests the releases of Node that the package is tried on, and every part of the long tests', () => {
  const { jobs } = parsed<Workflow>('workflows/ci.yml');
  expect(jobs.test?.strategy?.matrix.node).toEqual(nodeReleases);
  const parts =
    /const parts = \{([\s\S]*?)\n\};/.exec(readFileSync(inRoot('src/setup/test-long.mjs'), 'utf8'))?.[1] ?? '';
  const names = [...parts.matchAll(/^ {2}(\w+)[:,]/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(6);
  expect([...(jobs.long?.strategy?.matrix.part ?? [])].sort()).toEqual([...names].sort());
});

test('a release is built on every platform that it carries a binary for', () => {
  const { jobs } = parsed<Workflow>('workflows/release.yml');
  const platforms = Object.values(jobs)
    .flatMap((job) => job.strategy?.matrix.include ?? [])
    .map((entry) => (typeof entry === 'string' ? entry : entry.platform));
  expect(platforms.sort()).toEqual(releasedPlatforms);
});

test('the templates of issues are forms with an id for every answer', () => {
  for (const name of readdirSync(inRoot('.github/ISSUE_TEMPLATE')).filter((file) => file !== 'config.yml')) {
    const form = parsed<{ name: string; description: string; body: { id: string }[] }>(`ISSUE_TEMPLATE/${name}`);
    expect(form.name.length * form.description.length).toBeGreaterThan(0);
    expect(new Set(form.body.map(({ id }) => id)).size).toBe(form.body.length);
  }
});
