import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderTable } from '../../src/cli/table.js';
import { textWidth } from '../../src/cli/text-width.js';

const columns = [{ header: '#', align: 'right' }, { header: 'title', flexible: true }, { header: 'year' }] as const;

test('columns align by what is seen, not by how many characters there are', () => {
  const table = renderTable(
    columns,
    [
      ['1', '七人の侍', '1954'],
      ['10', '👩‍🚀 in space', '2001'],
      ['100', 'Alien', '1979'],
    ],
    undefined,
  );
  expect(table.split('\n')).toEqual([
    '  #  title        year',
    '  1  七人の侍     1954',
    ' 10  👩‍🚀 in space  2001',
    '100  Alien        1979',
  ]);
});

test('a narrow terminal shortens the flexible columns and nothing else', () => {
  const table = renderTable(columns, [['1', 'Dr. Strangelove or: How I Learned to Stop Worrying', '1964']], 30);
  expect(table.split('\n')[1]).toBe('1  Dr. Strangelove or:…   1964');
});

test('no line is wider than the terminal as long as the flexible columns can give way', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(999).map(String), fc.string({ unit: 'grapheme' }), fc.constant('1999')), {
        minLength: 1,
      }),
      fc.integer({ min: 22, max: 100 }),
      (rows, width) => {
        for (const line of renderTable(columns, rows, width).split('\n'))
          expect(textWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});

test('a title with line breaks or escape sequences stays on its line and cannot reach the terminal', () => {
  const table = renderTable(columns, [['1', 'two\nlines\u001b[31m red', '1']], undefined);
  expect(table.split('\n')).toHaveLength(2);
  expect(table).not.toContain('\u001b');
});
