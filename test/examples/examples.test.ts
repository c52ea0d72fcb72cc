/** The programs of docs/examples, run as their first lines say. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { films, layOut, likes, recipe } from '../cli/films.js';
import { nigh, repository, requireBuild } from '../cli/nigh-command.js';

const examples = join(repository, 'docs/examples');
let folder: string;
let collection: string;

beforeAll(() => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'nigh-examples-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(repository, join(folder, 'node_modules/nigh'));
  collection = layOut(folder);
  for (const name of readdirSync(examples)) writeFileSync(join(folder, name), readFileSync(join(examples, name)));
  expect(nigh(['build', 'films'], { cwd: folder }).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe('examples', () => {
  test('every program is in the list, and the list has no other', () => {
    const programs = readdirSync(examples).filter((name) => name.endsWith('.mjs'));
    const listed = [...readFileSync(join(examples, 'README.md'), 'utf8').matchAll(/\]\(([\w-]+\.mjs)\)/g)];
    expect(listed.map(([, name]) => name).sort()).toEqual(programs.sort());
    expect(programs).toHaveLength(5);
  });

  test('nightly-neighbours builds what changed and writes both files', () => {
    const args = [join(collection, 'recipe.json'), collection, 'out'];
    const first = run('nightly-neighbours.mjs', args);
    expect(first).toMatch(/gen-000001 is up to date\n.*items\.parquet: 60 rows\n.*users\.parquet: 90 rows/);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['items.parquet', 'users.parquet']);
  });

  test('fastify-plugin answers inside an app of its own, and is closed with it', async () => {
    const { recommendations } = (await import(join(examples, 'fastify-plugin.mjs'))) as {
      recommendations: (app: unknown, options: { collection: string }) => Promise<void>;
    };
    const app = Fastify();
    app.get('/own', () => 'own');
    app.register(recommendations, { collection });
    const similar = await app.inject('/products/f7/similar?k=3');
    expect(similar.json().results).toHaveLength(3);
    const home = await app.inject('/customers/u1/home');
    const has = likes.filter(({ user }) => user === 'u1').map(({ film }) => film);
    expect(home.json().filter(({ id }: { id: string }) => has.includes(id))).toEqual([]);
    expect((await app.inject('/customers/nobody/home')).json()).toHaveLength(5);
    const unknown = await app.inject('/products/f99/similar');
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'UNKNOWN_ITEM']);
    expect((await app.inject('/own')).body).toBe('own');
    const { retriever } = app as unknown as { retriever: { item(id: string): unknown } };
    await app.close();
    expect(() => retriever.item('f7')).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  test('enrich-events keeps the order of the events and loses none', () => {
    const events = Array.from({ length: 200 }, (_, n) => ({ n, product: n % 50 === 7 ? 'new' : `f${(n % 60) + 1}` }));
    const stdout = run('enrich-events.mjs', [collection], events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const out = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(out.map(({ n }) => n)).toEqual(events.map(({ n }) => n));
    for (const { product, alsoLike } of out) {
      expect(alsoLike).toHaveLength(product === 'new' ? 0 : 3);
      expect(alsoLike).not.toContain(product);
    }
  });

  test('find-duplicates finds what is there twice by title, unless the pictures differ', () => {
    const svg = (color: string, shape: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" fill="white"/><${shape} fill="${color}"/></svg>`;
    const circle = 'circle cx="16" cy="16" r="12"';
    const bar = 'rect x="2" y="20" width="28" height="6"';
    const shop = join(folder, 'shop');
    mkdirSync(shop);
    const products = [
      ['a1', 'Red enamel teapot', svg('red', circle)],
      ['a2', 'Teapot, red enamel', svg('red', circle)],
      ['b1', 'Blue linen curtain', svg('blue', circle)],
      ['b2', 'Blue linen curtain', svg('green', bar)],
      ['c1', 'Oak bench', svg('brown', bar)],
      ['d1', 'Steel watering can', ''],
      ['d2', 'Watering can steel', ''],
    ];
    for (const [id, , picture] of products) if (picture !== '') writeFileSync(join(shop, `${id}.svg`), picture ?? '');
    const lines = products.map(([id, title, picture]) => `${id},"${title}",${picture === '' ? '' : `${id}.svg`}`);
    writeFileSync(join(shop, 'products.csv'), ['id,title,photo', ...lines, ''].join('\n'));
    const own = {
      name: 'shop',
      dataset: { source: 'csv', items: { path: 'products.csv', id: 'id', title: 'title', picture: 'photo' } },
      spaces: {
        title: { embedding: 'tfidf', fields: { title: 1 }, dim: 8 },
        picture: { embedding: 'image' },
      },
    };
    writeFileSync(join(shop, 'recipe.json'), JSON.stringify(own));
    const pairs = (...args: string[]) =>
      run('find-duplicates.mjs', [join(shop, 'recipe.json'), ...args])
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ one, other }) => `${one} ${other}`)
        .sort();
    expect(pairs('title')).toEqual(['a1 a2', 'b1 b2', 'd1 d2']);
    expect(pairs('title', 'picture')).toEqual(['a1 a2', 'd1 d2']);
  });

  test('onboarding begins with what most people have and follows the picks', () => {
    const lines = run('onboarding.mjs', [collection, 'f2', '-f25', 'f9']).trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    const counts = new Map<string, number>();
    for (const { film } of likes) counts.set(film, (counts.get(film) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const [first] = lines[0]!.replace('for anybody: ', '').split(', ');
    expect(counts.get(first!)).toBe(most);
    const last = lines[4]!.replace('after f9: ', '').split(', ');
    const genres = last.map((id) => films.find((film) => film.id === id)?.genre);
    expect(genres.filter((genre) => genre === 'western').length).toBeGreaterThan(2);
    expect(recipe.name).toBe('films');
  });
});
