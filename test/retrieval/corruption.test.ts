import { createHash } from 'node:crypto';
import { copyFile, cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { smallRecipe, writeSmallWorld } from './support/small-world.js';

let directory: string;
let sound: string;
let files: string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-corruption-'));
  sound = join(directory, 'sound');
  await writeSmallWorld(directory);
  await buildCollection(smallRecipe(directory), sound);
  files = (await readdir(join(sound, 'gen-000001'))).sort();
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Models of spaces without users and the recipe are not read when a collection is opened. */
const unread = ['recipe.json', 'text.model.msgpack'];

async function withBroken(
  file: string,
  spoil: (path: string) => Promise<void>,
  check: (target: string) => Promise<void>,
) {
  const target = join(directory, 'broken');
  await cp(sound, target, { recursive: true });
  await spoil(join(target, file));
  await check(target);
  await rm(target, { recursive: true });
}

async function expectRefused(target: string, codes: readonly string[], what: string): Promise<void> {
  for (const mode of ['mmap', 'memory'] as const) {
    const opened = await Retriever.open(target, { mode }).catch((error: unknown) => error);
    expect(opened, `${what}, ${mode}`).toMatchObject({ name: 'NighError' });
    expect(codes, `${what}, ${mode}`).toContain((opened as { code: string }).code);
  }
}

describe('a collection with a damaged file', () => {
  it('is refused with a typed error where any file is cut short', async () => {
    for (const file of files) {
      if (unread.includes(file)) continue;
      const { size } = await stat(join(sound, 'gen-000001', file));
      // The last byte of the manifest is a line feed, which says nothing.
      for (const length of [0, 1, Math.floor(size / 2), file === 'manifest.json' ? size - 2 : size - 1]) {
        await withBroken(
          `gen-000001/${file}`,
          (path) => truncate(path, length),
          (target) => expectRefused(target, ['TRUNCATED', 'FORMAT', 'CHECKSUM_MISMATCH'], `${file} cut to ${length}`),
        );
      }
    }
  });

  it('is refused with a typed error where a byte of any file is flipped', async () => {
    for (const file of files) {
      if (unread.includes(file)) continue;
      const content = await readFile(join(sound, 'gen-000001', file));
      for (const share of [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.9999]) {
        const at = Math.floor(share * content.length);
        const spoiled = Buffer.from(content);
        spoiled[at] = spoiled[at]! ^ 0x10;
        // Sections of an index are aligned: what lies between them means nothing, and is not covered.
        if (file.endsWith('.ann') && content[at] === 0) continue;
        await withBroken(
          `gen-000001/${file}`,
          (path) => writeFile(path, spoiled),
          (target) =>
            expectRefused(
              target,
              ['CHECKSUM_MISMATCH', 'FORMAT', 'VERSION_UNSUPPORTED', 'TRUNCATED'],
              `${file} at ${at}`,
            ),
        );
      }
    }
  });

  it('is refused where a file is missing, or is that of another collection', async () => {
    for (const file of files) {
      if (unread.includes(file)) continue;
      await withBroken(
        `gen-000001/${file}`,
        (path) => rm(path),
        (target) => expectRefused(target, ['NOT_FOUND'], `${file} missing`),
      );
    }
    await withBroken(
      'gen-000001/cf.ann',
      (path) => copyFile(join(sound, 'gen-000001/text.ann'), path),
      (target) => expectRefused(target, ['TRUNCATED', 'CHECKSUM_MISMATCH'], 'another index'),
    );
  });

  it('is refused where CURRENT names no generation', async () => {
    for (const [text, code] of [
      ['', 'FORMAT'],
      ['../../etc', 'FORMAT'],
      ['gen-1', 'FORMAT'],
      ['gen-000009\n', 'NOT_FOUND'],
    ] as const) {
      await withBroken(
        'CURRENT',
        (path) => writeFile(path, text),
        (target) => expectRefused(target, [code], `CURRENT ${text}`),
      );
    }
    await withBroken(
      'CURRENT',
      (path) => rm(path),
      (target) => expectRefused(target, ['UNKNOWN_COLLECTION'], 'no CURRENT'),
    );
    await expect(Retriever.open(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'UNKNOWN_COLLECTION' });
  });

  it('is refused with what to do where a newer release wrote it', async () => {
    const rewrite = async (path: string) => {
      const { checksum: _, ...manifest } = JSON.parse(await readFile(path, 'utf8'));
      const newer = { ...manifest, version: 99 };
      const checksum = createHash('sha256').update(JSON.stringify(newer)).digest('hex');
      await writeFile(path, JSON.stringify({ ...newer, checksum }));
    };
    await withBroken('gen-000001/manifest.json', rewrite, (target) =>
      expectRefused(target, ['VERSION_UNSUPPORTED'], 'version 99'),
    );
  });
});
