import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { downloadFile } from '../../../src/data/fetch/download.js';
import { fetchDataset, findDataset } from '../../../src/data/fetch/locate.js';
import type { NamedDataset, ZipDelivery } from '../../../src/data/fetch/named-datasets.js';
import type { LoadProgress } from '../../../src/data/load-context.js';
import { nighError } from '../support/expect-error.js';
import { localServer } from '../support/local-server.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { sha256, zipFile } from '../support/zip-file.js';

const movies = 'movieId,title\n1,Toy Story\n';
const ratings = 'a rating\n'.repeat(5000);
const honest = zipFile([
  { name: 'ml/', content: '' },
  { name: 'ml/movies.csv', content: movies },
  { name: 'ml/ratings.csv', content: ratings, deflate: true },
  { name: 'ml/unlisted.txt', content: 'left out' },
]);

function dataset(address: string, files?: ZipDelivery['files']): NamedDataset {
  return {
    name: 'tiny',
    description: 'for the test',
    licence: 'none',
    source: 'here',
    delivery: {
      kind: 'zip',
      address: `${address}/ml.zip`,
      folder: 'ml',
      files: files ?? { 'movies.csv': sha256(movies), 'ratings.csv': sha256(ratings) },
    },
  };
}

const serve =
  (body: Uint8Array): RequestListener =>
  (_, response) => {
    response.setHeader('content-length', body.length).end(body);
  };

async function setUp(listener: RequestListener, files?: ZipDelivery['files']) {
  const cache = await temporaryDirectory();
  const tiny = dataset(await localServer(listener), files);
  return { cache, tiny, context: { environment: { NIGH_CACHE: cache } } };
}

describe('fetchDataset of an archive', () => {
  it('downloads, checks and keeps the listed files, and finds them the next time', async () => {
    let requests = 0;
    const { cache, tiny, context } = await setUp((request, response) => {
      requests++;
      serve(honest)(request, response);
    });
    expect(await findDataset(tiny, context)).toBeUndefined();
    const first = await fetchDataset(tiny, context);
    expect(first).toMatchObject({ path: join(cache, 'ml'), from: 'download' });
    expect((await readdir(first.path)).sort()).toEqual(['movies.csv', 'ratings.csv']);
    expect(await readFile(join(first.path, 'ratings.csv'), 'utf8')).toBe(ratings);
    expect(await readdir(cache)).toEqual(['ml']);
    expect((await fetchDataset(tiny, context)).from).toBe('cache');
    expect(requests).toBe(1);
  });

  it('follows redirects and reports bytes', async () => {
    const { tiny, context } = await setUp((request, response) => {
      if (request.url === '/ml.zip') response.writeHead(302, { location: '/moved' }).end();
      else serve(honest)(request, response);
    });
    const reports: LoadProgress[] = [];
    await fetchDataset(tiny, { ...context, onProgress: (progress) => reports.push(progress) });
    const size = honest.length;
    expect(reports.at(-1)).toEqual({ stage: 'download', name: 'tiny', done: size, total: size });
  });

  it('prefers what lies in NIGH_DATA', async () => {
    const { tiny, context } = await setUp(serve(honest));
    const data = await temporaryDirectory({ 'ml/movies.csv': movies, 'ml/ratings.csv': ratings });
    const located = await fetchDataset(tiny, { environment: { ...context.environment, NIGH_DATA: data } });
    expect(located).toMatchObject({ path: join(data, 'ml'), from: 'data' });
  });

  it('refuses in NIGH_DATA a folder that lacks a file or holds another', async () => {
    const { tiny, context } = await setUp(serve(honest));
    const data = await temporaryDirectory({ 'ml/movies.csv': movies });
    const within = { environment: { ...context.environment, NIGH_DATA: data } };
    await expect(fetchDataset(tiny, within)).rejects.toEqual(nighError('NOT_FOUND', 'ratings.csv', 'NIGH_DATA'));
    await writeFile(join(data, 'ml', 'ratings.csv'), `${ratings}x`);
    await expect(fetchDataset(tiny, within)).rejects.toEqual(
      nighError('CHECKSUM_MISMATCH', 'ratings.csv', 'NIGH_DATA'),
    );
  });

  it('refuses a cache that was altered, and says what to do', async () => {
    const { cache, tiny, context } = await setUp(serve(honest));
    await fetchDataset(tiny, context);
    await writeFile(join(cache, 'ml', 'movies.csv'), 'altered');
    await expect(fetchDataset(tiny, context)).rejects.toEqual(
      nighError('CHECKSUM_MISMATCH', 'movies.csv', `Remove ${join(cache, 'ml')}`),
    );
  });

  it('lets two calls at once both succeed', async () => {
    const { cache, tiny, context } = await setUp(serve(honest));
    const both = await Promise.all([fetchDataset(tiny, context), fetchDataset(tiny, context)]);
    expect(both.map(({ path }) => path)).toEqual([join(cache, 'ml'), join(cache, 'ml')]);
    expect(await readdir(cache)).toEqual(['ml']);
    expect((await findDataset(tiny, context))?.from).toBe('cache');
  });
});

describe('fetchDataset keeps nothing and says why', () => {
  const bad = (name: string) =>
    zipFile([
      { name, content: 'x' },
      { name: 'ml/movies.csv', content: movies },
    ]);
  const corrupt = Buffer.from(honest);
  // The first bytes of the deflated content.
  const at = corrupt.indexOf('ml/ratings.csv') + 'ml/ratings.csv'.length + 1;
  corrupt.writeUInt8(corrupt.readUInt8(at) ^ 0xff, at);

  it.each<[string, RequestListener, string, string[]]>([
    [
      'when the server has no such file',
      (_, response) => void response.writeHead(404).end('no'),
      'DOWNLOAD_FAILED',
      ['/ml.zip', '404 Not Found', 'NIGH_DATA', ' ml.'],
    ],
    ['when the server fails', (_, response) => void response.writeHead(503).end(), 'DOWNLOAD_FAILED', ['503']],
    [
      'when the connection is cut',
      (_, response) => {
        response.setHeader('content-length', honest.length).write(honest.subarray(0, 100));
        setTimeout(() => response.destroy(), 20);
      },
      'DOWNLOAD_FAILED',
      ['/ml.zip', 'NIGH_DATA'],
    ],
    [
      'when the connection is refused at once',
      (request) => void request.socket.destroy(),
      'DOWNLOAD_FAILED',
      ['/ml.zip'],
    ],
    [
      'when the archive holds other content',
      serve(
        zipFile([
          { name: 'ml/movies.csv', content: 'other' },
          { name: 'ml/ratings.csv', content: ratings },
        ]),
      ),
      'CHECKSUM_MISMATCH',
      ['tiny', 'movies.csv', 'nothing was kept'],
    ],
    [
      'when the archive lacks a file',
      serve(zipFile([{ name: 'ml/movies.csv', content: movies }])),
      'FORMAT',
      ['lacks ml/ratings.csv'],
    ],
    ['when a name climbs out of the archive', serve(bad('../evil.txt')), 'FORMAT', ['../evil.txt']],
    ['when a name climbs out from inside', serve(bad('ml/../../evil.txt')), 'FORMAT', ['../../evil.txt']],
    ['when a name is absolute', serve(bad('/etc/evil')), 'FORMAT', ['/etc/evil']],
    ['when it is no archive', serve(Buffer.from('<html>log in</html>')), 'FORMAT', ['archive']],
    ['when the archive is cut short', serve(honest.subarray(0, honest.length - 40)), 'FORMAT', ['archive']],
    ['when the archive is damaged', serve(corrupt), 'FORMAT', ['archive']],
  ])('%s', async (_, listener, code, texts) => {
    const { cache, tiny, context } = await setUp(listener);
    await expect(fetchDataset(tiny, context)).rejects.toEqual(nighError(code as 'FORMAT', ...texts));
    expect(await readdir(cache)).toEqual([]);
    expect(await findDataset(tiny, context)).toBeUndefined();
  });

  it('when it is aborted under way', async () => {
    const controller = new AbortController();
    const { cache, tiny, context } = await setUp((_, response) => {
      response.setHeader('content-length', honest.length).write(honest.subarray(0, 100));
      setTimeout(() => controller.abort(), 20);
    });
    const fetching = fetchDataset(tiny, { ...context, signal: controller.signal });
    await expect(fetching).rejects.toEqual(nighError('ABORTED'));
    expect(await readdir(cache)).toEqual([]);
  });

  it('when it was aborted before it began', async () => {
    const { cache, tiny, context } = await setUp(serve(honest));
    const fetching = fetchDataset(tiny, { ...context, signal: AbortSignal.abort() });
    await expect(fetching).rejects.toEqual(nighError('ABORTED'));
    expect(await readdir(cache)).toEqual([]);
  });

  it('when the cache cannot be written', async () => {
    const { cache, tiny } = await setUp(serve(honest));
    await writeFile(join(cache, 'file'), '');
    const environment = { NIGH_CACHE: join(cache, 'file', 'inside') };
    const fetching = fetchDataset(tiny, { environment });
    await expect(fetching).rejects.toHaveProperty('name', 'NighError');
  });
});

describe('the cache', () => {
  it('is NIGH_CACHE, else XDG_CACHE_HOME/nigh', async () => {
    const { cache, tiny } = await setUp(serve(honest));
    const environment = { XDG_CACHE_HOME: cache };
    expect((await fetchDataset(tiny, { environment })).path).toBe(join(cache, 'nigh', 'ml'));
    const other = join(cache, 'other');
    await mkdir(other);
    expect((await fetchDataset(tiny, { environment: { ...environment, NIGH_CACHE: other } })).path).toBe(
      join(other, 'ml'),
    );
  });
});

describe('downloadFile', () => {
  it('gives up when nothing comes for long', async () => {
    const address = await localServer((_, response) => void response.write('x'));
    const directory = await temporaryDirectory();
    const downloading = downloadFile(
      address,
      join(directory, 'file'),
      {},
      { name: 'x', advice: 'Wait.', idleTimeout: 50 },
    );
    await expect(downloading).rejects.toEqual(
      nighError('DOWNLOAD_FAILED', address, 'nothing came for 0.05 s', 'Wait.'),
    );
  });

  it('names the reason when there is no such host', async () => {
    const directory = await temporaryDirectory();
    const downloading = downloadFile(
      'http://nowhere.invalid/x',
      join(directory, 'file'),
      {},
      { name: 'x', advice: 'Wait.' },
    );
    await expect(downloading).rejects.toEqual(
      nighError('DOWNLOAD_FAILED', 'http://nowhere.invalid/x', 'nowhere.invalid'),
    );
  });
});
