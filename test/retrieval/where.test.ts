import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/retrieval/filters/compile.js';
import { FilterCache } from '../../src/retrieval/filters/filter-cache.js';
import type { Predicate, Where } from '../../src/retrieval/filters/predicate.js';
import { whereField } from '../../src/retrieval/filters/where-field.js';
import { predicateOfObject } from '../../src/retrieval/filters/where-object.js';
import { predicateOfText } from '../../src/retrieval/filters/where-text.js';
import { openColumn, packColumn } from '../../src/retrieval/packed-columns.js';

const open = (name: string, column: Parameters<typeof packColumn>[0]) =>
  [name, openColumn(name, packColumn(column), 4)] as const;
const attributes = {
  items: 4,
  columns: new Map([
    open('year', { type: 'number', values: [1990, 1985, undefined, 2001] }),
    open('maker', { type: 'text', values: ['Ghibli', 'Pixar', 'Ghost', undefined] }),
    open('genres', { type: 'tags', values: [['Comedy', 'Sci-Fi'], ['Drama'], ['Comedy', 'Comedy'], []] }),
    open('odd name', { type: 'number', values: [1, 2, 3, 4] }),
  ]),
};
const items = (predicate: Predicate) => Array.from(compile(predicate, attributes).ordinals());
const byText = (text: string) => items(predicateOfText(text, 'where'));
const byObject = (where: Where) => items(predicateOfObject(where, 'where'));

/** Objects, the same as text, and which of the four items they mean. */
const pairs: readonly (readonly [Where, string, readonly number[]])[] = [
  [{ year: { gte: 1990 } }, 'year >= 1990', [0, 3]],
  [{ year: { gt: 1990 } }, 'year>1990', [3]],
  [{ year: { lt: 1990 } }, 'year < 1990', [1]],
  [{ year: { lte: 1990 } }, 'year <= 1.99e3', [0, 1]],
  [{ year: 1985 }, 'year = 1985', [1]],
  [{ year: { ne: 1985 } }, 'year != 1985', [0, 2, 3]],
  [{ year: [1985, 2001] }, 'year in [1985, 2001]', [1, 3]],
  [{ not: { year: { in: [1985, 2001] } } }, 'year NOT IN [1985,2001]', [0, 2]],
  [{ year: { exists: false } }, 'not year exists', [2]],
  [{ maker: 'Pixar' }, 'maker = Pixar', [1]],
  [{ maker: { startsWith: 'Gh' } }, "maker starts with 'Gh'", [0, 2]],
  [{ maker: { ne: 'Ghost' } }, 'maker != "Ghost"', [0, 1, 3]],
  [{ maker: ['Pixar', 'Ghost'] }, 'maker in [Pixar, "Ghost"]', [1, 2]],
  [{ genres: 'Comedy' }, 'genres has Comedy', [0, 2]],
  [{ genres: { has: 'Sci-Fi' } }, 'genres has "Sci-Fi"', [0]],
  [{ genres: ['Drama', 'Sci-Fi'] }, 'genres has any [Drama, "Sci-Fi"]', [0, 1]],
  [{ genres: { hasAll: ['Comedy', 'Sci-Fi'] } }, 'genres has all ["Comedy", "Sci-Fi"]', [0]],
  [{ genres: { has: 'any' } }, 'genres has any', []],
  [{ genres: { exists: true } }, 'genres exists', [0, 1, 2]],
  [{ year: { gte: 1985, lt: 2000 }, genres: 'Comedy' }, 'year >= 1985 and year < 2000 and genres has Comedy', [0]],
  [{ or: [{ year: 2001 }, { genres: 'Drama' }] }, '(year = 2001 or genres has Drama)', [1, 3]],
  [{ not: { or: [{ year: 2001 }, { genres: 'Drama' }] } }, 'not (year = 2001 or genres has Drama)', [0, 2]],
  // "and" binds closer than "or".
  [
    { or: [{ year: 2001 }, { and: [{ genres: 'Comedy' }, { maker: 'Ghost' }] }] },
    'year = 2001 or genres has Comedy and maker = Ghost',
    [2, 3],
  ],
  [{ 'odd name': { gt: 2 } }, '`odd name` > 2', [2, 3]],
  [{}, 'year exists or not year exists', [0, 1, 2, 3]],
  [{ or: [] }, 'year in []', []],
  [{ and: [{ year: 1990 }, { year: 1985 }] }, 'year = 1990 and year = 1985', []],
];

describe('where', () => {
  it.each(pairs)('%j is %s', (where, text, expected) => {
    expect(byObject(where)).toEqual(expected);
    expect(byText(text)).toEqual(expected);
  });

  it('takes a backslash in quotes for the character after it', () => {
    expect(predicateOfText('maker = "a \\"b\\" \\\\"', 'where')).toMatchObject({ operand: 'a "b" \\' });
  });

  it.each([
    ['year >= ', 9, 'expected a number or a text in quotes, got the end: year >= ▸'],
    [
      'year >= 1990 genres has Comedy',
      14,
      'expected "and", "or" or the end, got "genres": year >= 1990 ▸genres has Comedy',
    ],
    ['(year = 1', 10, 'expected "and", "or" or ")", got the end'],
    ['year ~ 3', 6, 'got "~": year ▸~ 3'],
    ['', 1, 'expected an attribute, "not" or "(", got the end'],
    ['and year = 1', 1, 'expected an attribute'],
    ['year', 5, 'expected =, !=, <, <=, >, >=, "in", "has", "starts with" or "exists"'],
    ['maker = "Gh', 9, 'expected a closing "'],
    ['year in 3', 9, 'expected "["'],
    ['year in [3', 11, 'expected "," or "]"'],
    ['maker starts Gh', 14, 'expected "with"'],
    ['year = 1e999', 8, 'expected a finite number'],
    [`${'('.repeat(40)}year = 1${')'.repeat(40)}`, 34, 'at most 32 levels'],
  ])('%s is refused at character %i', (text, at, message) => {
    expect(() => byText(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(`where: character ${at}: `),
      }),
    );
    expect(() => byText(text)).toThrow(message);
  });

  it.each<[unknown, string, RegExp]>([
    [{ yaer: 3 }, 'UNKNOWN_OPTION', /^where\.yaer: the items have no attribute "yaer"\. Did you mean "year"\?$/],
    [{ not: { and: [{ zzzzzz: 3 }] } }, 'UNKNOWN_OPTION', /^where\.not\.and\[0\]\.zzzzzz: .*They are: year, maker/],
    [{ year: { gt: 3, lessThan: 4 } }, 'UNKNOWN_OPTION', /^where\.year\.lessThan/],
    [{ year: { gte: '1990' } }, 'INVALID_ARGUMENT', /^where\.year\.gte: expected a number, got "1990"/],
    [{ year: { has: 'x' } }, 'INVALID_ARGUMENT', /year is a number; expected one of eq, .*, got has/],
    [{ genres: { eq: 'x' } }, 'INVALID_ARGUMENT', /genres is a list of tags; expected one of has, hasAny/],
    [{ maker: { gt: 'x' } }, 'INVALID_ARGUMENT', /maker is a text/],
    [{ year: { gte: Number.NaN } }, 'INVALID_ARGUMENT', /^where\.year\.gte: expected a number or a string, got NaN/],
    [{ year: {} }, 'INVALID_ARGUMENT', /^where\.year: expected a value, or one of/],
    [{ year: null }, 'INVALID_ARGUMENT', /^where\.year: expected a number or a string, got null/],
    [{ and: { year: 3 } }, 'INVALID_ARGUMENT', /^where\.and: expected an array/],
    [{ year: { exists: 1 } }, 'INVALID_ARGUMENT', /^where\.year\.exists: expected true or false/],
    [7, 'INVALID_ARGUMENT', /^where: expected an object .* or such a condition as text, got 7/],
    [[], 'INVALID_ARGUMENT', /^where: expected an object/],
  ])('%j is refused', (where, code, message) => {
    const read = () => items(whereField.read(where, 'where')!.predicate);
    expect(read).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it('in text, names the place of an attribute that is not there', () => {
    expect(() => byText('year > 3 and yaer < 4')).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_OPTION',
        message: 'where: character 14: the items have no attribute "yaer". Did you mean "year"?',
      }),
    );
  });

  it('refuses what is nested or long beyond reason, and never anything but in these words', () => {
    let deep: object = { year: 1 };
    for (let level = 0; level < 100_000; level++) deep = { not: deep };
    expect(() => predicateOfObject(deep, 'where')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const wide = { or: Array.from({ length: 2000 }, (_, year) => ({ year })) };
    expect(() => predicateOfObject(wide, 'where')).toThrow(/at most 1000 conditions/);
    expect(() => predicateOfText('year = 1 or '.repeat(2000), 'where')).toThrow(/at most 1000 conditions/);
    const word = fc.constantFrom(
      'year',
      'and',
      'or',
      'not',
      'has',
      'in',
      '(',
      ')',
      '[',
      ']',
      '>=',
      '1',
      '"x"',
      '`',
      ',',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme' }),
          fc.array(word).map((words) => words.join(' ')),
        ),
        (text) => {
          try {
            byText(text);
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^(INVALID_ARGUMENT|UNKNOWN_OPTION)$/) });
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is compiled once, and only the last are kept', () => {
    const cache = new FilterCache({ ...attributes, items: 4 });
    const keyed = (where: unknown) => whereField.read(where, 'where')!;
    const set = cache.setOf(keyed({ year: 1990 }));
    expect(cache.setOf(keyed({ year: 1990 }))).toBe(set);
    for (let year = 0; year < 1000; year++) cache.setOf(keyed(`year = ${year}`));
    expect(cache.size).toBe(256);
    expect(cache.setOf(keyed({ year: 1990 }))).not.toBe(set);
    expect(cache.setOf(keyed({ year: 1990 })).size).toBe(1);
  });
});
