import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { loadRecipe } from '../../src/retrieval/recipe.js';
import { writeKeptWorld } from '../retrieval/support/kept-world.js';
import { nigh, requireBuild } from './nigh-command.js';

let folder: string;
let world: string;

beforeAll(async () => {
  requireBuild();
  folder = await mkdtemp(join(tmpdir(), 'nigh-upkeep-'));
  world = join(folder, 'world');
  await writeKeptWorld(folder);
  for (const name of ['old', 'new']) await buildCollection(await loadRecipe(join(folder, `${name}.json`)), world);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the commands that keep a collection', () => {
  it('verify ends with 0 for a sound one, with 1 for a damaged one and says what; --repair mends it', async () => {
    const sound = nigh(['verify', world]);
    expect(sound.status, sound.stderr).toBe(0);
    expect(sound.stdout).toMatch(/Sound: /);
    expect(sound.stdout).toMatch(/^cf\.ann +hnsw +\d+ +0 +0 +0 /m);

    const file = join(world, 'gen-000002', 'text.ann');
    const bytes = await readFile(file);
    // Codes come before rows, from which they are made.
    bytes[700] = bytes[700]! ^ 1;
    await rm(file);
    await writeFile(file, bytes);
    const damaged = nigh(['verify', world]);
    expect(damaged.status).toBe(1);
    expect(damaged.stdout).toMatch(/checksum +gen-000002 +text\.ann +CHECKSUM_MISMATCH/);
    expect(damaged.stderr).toContain('--repair');
    const json = nigh(['verify', world, '--json']);
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ sound: false, findings: [{ subject: 'text.ann' }] });

    const repaired = nigh(['verify', world, '--repair', '--json']);
    expect(repaired.status, repaired.stderr).toBe(0);
    expect(JSON.parse(repaired.stdout)).toMatchObject({ beyond: [], after: { generation: 'gen-000003' } });
  });

  it('rollback, backup and restore say what they did, and refuse what they must', () => {
    const back = nigh(['rollback', world, '--to', 'gen-000001', '--json']);
    expect(JSON.parse(back.stdout)).toMatchObject({ from: 'gen-000003', to: 'gen-000001' });
    const none = nigh(['rollback', world]);
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toMatch(/there is no generation before gen-000001.*\[NOT_FOUND\]/);

    const backup = join(folder, 'world.tar');
    expect(nigh(['backup', world, '--to', backup]).stdout).toMatch(/small-world, gen-000001, \d+ files/);
    const refused = nigh(['restore', backup, '--to', world]);
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/holds a collection already.*--force.*\[INVALID_ARGUMENT\]/);
    const forced = nigh(['restore', backup, '--to', world, '--force']);
    expect(forced.stdout).toMatch(/gen-000004 is live, backed up .* as gen-000001; gen-000001 was live before/);
    const elsewhere = nigh(['restore', backup, '--to', 'copy', '--json'], {
      cwd: folder,
      env: { NIGH_INDEXES: folder },
    });
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ generation: 'gen-000001', collection: 'small-world' });
    expect(nigh(['verify', 'copy'], { env: { NIGH_INDEXES: folder } }).status).toBe(0);
    expect(nigh(['backup', world]).status).toBe(2);
  });
});
