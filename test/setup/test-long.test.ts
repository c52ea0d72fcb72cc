import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inRoot } from '../../src/setup/paths.mjs';

test('npm run test:long names its parts when it is asked for another, and all of them are documented', () => {
  const { status, stderr } = spawnSync(process.execPath, [inRoot('src/setup/test-long.mjs'), 'everything'], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  const parts = /has the parts (.*), and no everything/.exec(stderr)?.[1]?.split(', ') ?? [];
  expect(parts.length).toBeGreaterThan(3);
  const manual = readFileSync(inRoot('CONTRIBUTING.md'), 'utf8');
  for (const part of parts) expect(manual).toContain(`\`${part}\``);
});
