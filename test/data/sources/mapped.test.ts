import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadDataset, parseDatasetSpec } from '../../../src/data/sources/registry.js';
import { attributesOf, interactionsOf } from '../support/dataset-view.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

type Spec = Record<string, unknown>;

async function load(spec: Spec, files: Record<string, string | Uint8Array>) {
  const baseDirectory = await temporaryDirectory(files);
  return loadDataset(spec, { baseDirectory });
}

const columns = {
  genres: { type: 'tags', separator: ';' },
  year: { type: 'number', from: 'published' },
  added: { type: 'date' },
  about: { type: 'text' },
};

/** The same books and loans, once as CSV and once as JSONL. */
const csvSpec: Spec = {
  source: 'csv',
  delimiter: '\t',
  items: { path: 'books.tsv', id: 'isbn', title: 'name', columns },
  interactions: {
    path: 'loans.tsv.gz',
    user: 'reader',
    item: 'isbn',
    value: 'times',
    timestamp: 'day',
    timestampUnit: 'iso',
    merge: 'sum',
  },
  origin: { name: 'library', licence: 'CC0', source: 'the counter' },
};
const csvFiles = {
  'books.tsv': [
    'isbn\tname\tgenres\tpublished\tadded\tabout\tshelf',
    '007\tOn Nothing\t crime; noir;;crime\t1999\t2020-02-29T12:00:00+02:00\t"a ""quoted"" text"\tA',
    '8\t\t\t\t\t\tB',
    '',
  ].join('\n'),
  'loans.tsv.gz': gzipSync(
    'reader\tisbn\ttimes\tday\nann\t007\t2\t1970-01-02\nann\t007\t3\t1970-01-01 00:00:10\nbob\t8\t1\t1970-01-01T00:00:05Z\n',
  ),
};
const jsonlSpec: Spec = {
  source: 'jsonl',
  origin: csvSpec.origin,
  items: { path: 'books.jsonl', id: 'isbn', title: 'name', columns },
  interactions: { path: 'loans.jsonl', user: 'reader', item: 'isbn', value: 'times', timestamp: 'at', merge: 'sum' },
};
const jsonlFiles = {
  'books.jsonl': [
    '{"isbn":"007","name":"On Nothing","genres":["crime","noir"," crime"],"published":1999,"added":"2020-02-29T10:00:00Z","about":"a \\"quoted\\" text"}',
    '',
    '{"isbn":8,"name":null,"shelf":"B"}',
  ].join('\n'),
  'loans.jsonl':
    '{"reader":"ann","isbn":"007","times":2,"at":86400}\n{"reader":"ann","isbn":"007","times":"3","at":10}\n{"reader":"bob","isbn":8,"times":1,"at":5}\n',
};

describe.each([
  ['csv', csvSpec, csvFiles],
  ['jsonl', jsonlSpec, jsonlFiles],
])('the source %s', (_, spec, files) => {
  it('maps columns to ids, titles, typed attributes and interactions', async () => {
    const dataset = await load(spec, files);
    expect(dataset.origin).toEqual({ name: 'library', licence: 'CC0', source: 'the counter' });
    expect(dataset.items.terms).toEqual(['007', '8']);
    expect(dataset.titles).toEqual(['On Nothing', '8']);
    expect(dataset.columns.get('added')?.type).toBe('number');
    expect(attributesOf(dataset, '007')).toEqual({
      genres: ['crime', 'noir'],
      year: 1999,
      added: Date.UTC(2020, 1, 29, 10) / 1000,
      about: 'a "quoted" text',
    });
    expect(attributesOf(dataset, '8')).toEqual({});
    expect(interactionsOf(dataset)).toEqual(
      new Map([
        ['ann 007', [5, 86_400]],
        ['bob 8', [1, 5]],
      ]),
    );
  });

  it('names a missing attribute column, what is there and what is near', async () => {
    const items = { ...(spec.items as Spec), columns: { ...columns, shelves: { type: 'text', from: 'published_' } } };
    const loading = load({ ...spec, items }, files);
    await expect(loading).rejects.toEqual(
      nighError('MISSING_COLUMN', 'books', '"published_"', 'mean "published"', '"isbn"'),
    );
  });

  it.each(['user', 'item', 'value', 'timestamp'])('names a missing %s column', async (key) => {
    const loading = load({ ...spec, interactions: { ...(spec.interactions as Spec), [key]: 'nothing' } }, files);
    await expect(loading).rejects.toEqual(nighError('MISSING_COLUMN', 'loans', '"nothing"', '"reader"'));
  });

  it('refuses an attribute that is not of its type, with file, line and what came', async () => {
    const items = { ...(spec.items as Spec), columns: { label: { type: 'number', from: 'name' } } };
    const loading = load({ ...spec, items }, files);
    await expect(loading).rejects.toEqual(nighError('INVALID_RECORD', ':', 'name', 'a number', '"On Nothing"'));
  });
});

describe('the source csv', () => {
  const interactionsOnly = { source: 'csv', interactions: { path: 'i.csv', user: 'u', item: 'i' } };

  it('makes a catalogue of interactions alone, every value 1', async () => {
    const dataset = await load(interactionsOnly, { 'i.csv': 'u,i\nann,x\nann,x\nbob,y\n' });
    expect(dataset.titles).toEqual(['x', 'y']);
    expect(interactionsOf(dataset)).toEqual(
      new Map([
        ['ann x', [1]],
        ['bob y', [1]],
      ]),
    );
    expect(dataset.timestamps).toBeUndefined();
    expect(dataset.origin).toEqual({ name: 'i.csv', licence: 'not stated', source: 'i.csv' });
  });

  it('makes a catalogue without interactions', async () => {
    const dataset = await load({ source: 'csv', items: { path: 'b.csv', id: 'id' } }, { 'b.csv': 'id\n1\n2\n' });
    expect([dataset.items.size, dataset.users.size, dataset.interactions.entries]).toEqual([2, 0, 0]);
  });

  it('takes the names of columns from the recipe where a file has none, in latin1 and without quotes', async () => {
    const spec = {
      source: 'csv',
      delimiter: '::',
      encoding: 'latin1',
      quotes: false,
      items: { path: 'm.dat', header: ['id', 'title', 'x'], id: 'id', title: 'title' },
    };
    const dataset = await load(spec, { 'm.dat': Buffer.from('1::5" naïf::\n', 'latin1') });
    expect(dataset.titles).toEqual(['5" naïf']);
  });

  it('reads milliseconds', async () => {
    const interactions = { path: 'i.csv', user: 'u', item: 'i', timestamp: 't', timestampUnit: 'milliseconds' };
    const dataset = await load({ source: 'csv', interactions }, { 'i.csv': 'u,i,t\nann,x,1500\n' });
    expect([...dataset.timestamps!]).toEqual([1.5]);
  });

  it('does what unknownItems says', async () => {
    const files = { 'b.csv': 'id\n1\n', 'i.csv': 'u,i\nann,1\nann,2\n' };
    const spec = (unknownItems?: string) => ({
      source: 'csv',
      items: { path: 'b.csv', id: 'id' },
      interactions: { ...interactionsOnly.interactions, ...(unknownItems === undefined ? {} : { unknownItems }) },
    });
    await expect(load(spec(), files)).rejects.toEqual(nighError('INVALID_RECORD', '"2"'));
    expect((await load(spec('add'), files)).items.size).toBe(2);
    expect((await load(spec('skip'), files)).interactions.entries).toBe(1);
  });

  it('applies the filter', async () => {
    const spec = { ...interactionsOnly, filter: { minUserInteractions: 2 } };
    const dataset = await load(spec, { 'i.csv': 'u,i\nann,x\nann,y\nbob,y\n' });
    expect(dataset.users.terms).toEqual(['ann']);
  });

  const full = { path: 'i.csv', user: 'u', item: 'i', value: 'v', timestamp: 't' };

  it.each([
    ['a value that is not a number', 'u,i,v,t\na,b,1,2\na,b,many,2\n', [':3', 'v', '"many"']],
    ['an infinite value', 'u,i,v,t\na,b,Infinity,2\n', [':2', 'v', '"Infinity"']],
    ['a value too large for float32', 'u,i,v,t\na,b,1e39,2\n', [':2', 'float32']],
    ['a hexadecimal value', 'u,i,v,t\na,b,0x10,2\n', [':2', 'v']],
    ['an empty value', 'u,i,v,t\na,b,,2\n', [':2', 'v', '""']],
    ['a time that is not a number', 'u,i,v,t\na,b,1,2020-01-01\n', [':2', 't', '"2020-01-01"']],
    ['an empty user', 'u,i,v,t\n,b,1,2\n', [':2', 'u']],
    ['an empty item', 'u,i,v,t\na,,1,2\n', [':2', 'i']],
    ['a record that is too long', 'u,i,v,t\na,b,1,2,3\n', [':2', '4 fields, got 5']],
    ['a column that occurs twice', 'u,i,v,v,t\na,b,1,1,2\n', ['"v"', 'twice']],
  ] as const)('refuses %s', async (_, text, texts) => {
    const loading = load({ source: 'csv', interactions: full }, { 'i.csv': text });
    await expect(loading).rejects.toEqual(nighError('INVALID_RECORD', 'i.csv', ...texts));
  });

  it.each(['2020-02-30', '2020-13-01', '2020-01-01T25:00', '01/02/2020', '2020T10:00', 'yesterday'])(
    'refuses the date %s',
    async (date) => {
      const items = { path: 'b.csv', id: 'id', columns: { added: { type: 'date' } } };
      const loading = load({ source: 'csv', items }, { 'b.csv': `id,added\n1,${date}\n` });
      await expect(loading).rejects.toEqual(nighError('INVALID_RECORD', 'b.csv:2', 'added', date));
    },
  );

  it.each([
    ['2020', Date.UTC(2020)],
    ['2020-03', Date.UTC(2020, 2)],
    ['2020-03-04', Date.UTC(2020, 2, 4)],
    ['2020-03-04 05:06', Date.UTC(2020, 2, 4, 5, 6)],
    ['2020-03-04T23:06:07.5-02:00', Date.UTC(2020, 2, 5, 1, 6, 7, 500)],
  ])('reads the date %s as UTC', async (date, expected) => {
    const items = { path: 'b.csv', id: 'id', columns: { added: { type: 'date' } } };
    const dataset = await load({ source: 'csv', items }, { 'b.csv': `id,added\n1,${date}\n` });
    expect(attributesOf(dataset, '1').added).toBe(expected / 1000);
  });

  it('refuses an item that occurs twice, with file and line', async () => {
    const loading = load({ source: 'csv', items: { path: 'b.csv', id: 'id' } }, { 'b.csv': 'id\n1\n\n1\n' });
    await expect(loading).rejects.toEqual(nighError('DUPLICATE_ID', 'b.csv:4', '"1"'));
  });
});

describe('the source jsonl', () => {
  const items = { path: 'b.jsonl', id: 'id', columns: { tags: { type: 'tags' } } };

  it.each([
    ['a line that is not JSON', '{"id":1,"tags":[]}\n{"id":\n', [':2', 'JSON']],
    ['a line that is not an object', '[1]\n', [':1', 'object']],
    ['an id that is an object', '{"id":{},"tags":[]}\n', [':1', 'id']],
    ['a later record without an id', '{"id":1,"tags":[]}\n{"tags":[]}\n', [':2', 'id']],
    ['tags that are not texts', '{"id":1,"tags":[1]}\n', [':1', 'tags', 'list of texts']],
  ])('refuses %s', async (_, text, texts) => {
    await expect(load({ source: 'jsonl', items }, { 'b.jsonl': text })).rejects.toEqual(
      nighError('INVALID_RECORD', 'b.jsonl', ...texts),
    );
  });

  it('takes a key that a record inherits for one it lacks', async () => {
    const spec = { source: 'jsonl', items: { path: 'b.jsonl', id: 'constructor' } };
    await expect(load(spec, { 'b.jsonl': '{"id":1}\n' })).rejects.toEqual(nighError('MISSING_COLUMN', '"constructor"'));
  });

  it('says that an empty file has no items', async () => {
    await expect(load({ source: 'jsonl', items }, { 'b.jsonl': '\n' })).rejects.toEqual(nighError('EMPTY_DATASET'));
  });
});

describe('parseDatasetSpec', () => {
  const items = { path: 'b', id: 'id' };
  const interactions = { path: 'i', user: 'u', item: 'i' };

  it.each([
    ['no object', 7, 'INVALID_ARGUMENT', ['dataset']],
    ['no source', {}, 'INVALID_ARGUMENT', ['dataset.source', '"csv"', 'undefined']],
    ['a source that nobody knows', { source: 'movie-lens' }, 'INVALID_ARGUMENT', ['"movielens"']],
    ['neither items nor interactions', { source: 'csv' }, 'INVALID_ARGUMENT', ['"items"']],
    [
      'an unknown key',
      { source: 'csv', items, delimeter: ';' },
      'UNKNOWN_OPTION',
      ['dataset.delimeter', '"delimiter"'],
    ],
    [
      'an unknown key like a shared one',
      { source: 'openmoji', filters: {} },
      'UNKNOWN_OPTION',
      ['dataset.filters', '"filter"'],
    ],
    [
      'an unknown key of items',
      { source: 'csv', items: { ...items, titel: 'x' } },
      'UNKNOWN_OPTION',
      ['dataset.items.titel', '"title"'],
    ],
    [
      'an unknown type',
      { source: 'csv', items: { ...items, columns: { a: { type: 'tag' } } } },
      'INVALID_ARGUMENT',
      ['dataset.items.columns.a.type', '"tags"'],
    ],
    [
      'a separator of a number',
      { source: 'csv', items: { ...items, columns: { a: { type: 'number', separator: ';' } } } },
      'INVALID_ARGUMENT',
      ['separator'],
    ],
    [
      'a column called title',
      { source: 'csv', items: { ...items, columns: { title: { type: 'text' } } } },
      'INVALID_ARGUMENT',
      ['columns.title'],
    ],
    ['items without a path', { source: 'csv', items: { id: 'id' } }, 'INVALID_ARGUMENT', ['dataset.items.path']],
    [
      'interactions without a user',
      { source: 'csv', interactions: { path: 'i', item: 'i' } },
      'INVALID_ARGUMENT',
      ['interactions.user'],
    ],
    [
      'a unit of no timestamp',
      { source: 'csv', interactions: { ...interactions, timestampUnit: 'iso' } },
      'INVALID_ARGUMENT',
      ['timestampUnit'],
    ],
    [
      'an unknown merge',
      { source: 'csv', interactions: { ...interactions, merge: 'max' } },
      'INVALID_ARGUMENT',
      ['interactions.merge', '"last"'],
    ],
    [
      'a delimiter that is a quote',
      { source: 'csv', items, delimiter: '"' },
      'INVALID_ARGUMENT',
      ['dataset.delimiter'],
    ],
    ['an empty delimiter', { source: 'csv', items, delimiter: '' }, 'INVALID_ARGUMENT', ['dataset.delimiter']],
    ['an unknown encoding', { source: 'csv', items, encoding: 'utf8' }, 'INVALID_ARGUMENT', ['"utf-8"']],
    ['a header of JSONL', { source: 'jsonl', items: { ...items, header: ['id'] } }, 'UNKNOWN_OPTION', ['items.header']],
    [
      'a bad filter',
      { source: 'openmoji', filter: { minValue: 'x' } },
      'INVALID_ARGUMENT',
      ['dataset.filter.minValue'],
    ],
    ['an option of another source', { source: 'npm-dependents', fetch: 'x' }, 'UNKNOWN_OPTION', ['dataset.fetch']],
  ] as const)('refuses %s', (_, spec, code, texts) => {
    expect(() => parseDatasetSpec(spec)).toThrow(nighError(code, ...texts));
  });
});
