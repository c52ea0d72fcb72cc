/** What counts as the same output of a page and of a run. */
import { expect, test } from 'vitest';
import { codeBlocks, firstDifference, firstMissing } from './documentation.js';

test('times and the last places of decimals may differ, other figures and words may not', () => {
  const shown = '1  0.8558  body-parser  4,260\n8 results (graph, 6.48 ms, generation gen-000001)';
  expect(
    firstDifference(shown, '1 0.8557 body-parser 4,260\n8 results (graph, 0.2 ms, generation gen-000001)'),
  ).toBeUndefined();
  expect(firstDifference(shown, shown.replace('0.8558', '0.8568'))).toMatch(/^shown: .*0\.8558.*\nprinted: .*0\.8568/);
  expect(firstDifference(shown, shown.replace('4,260', '4,261'))).toBeDefined();
  expect(firstDifference(shown, shown.replace('gen-000001', 'gen-000002'))).toBeDefined();
  expect(firstDifference(shown, shown.replace('graph', 'scan'))).toBeDefined();
  expect(firstDifference(shown, `${shown}\nmore`)).toBe('not shown: more');
  expect(firstDifference(shown, shown.split('\n')[0] ?? '')).toMatch(/\(no more\)$/);
});

test('an ellipsis stands for the rest of a line, or for any number of lines', () => {
  expect(firstDifference('{"k":2,…}', '{"k":2,"a":[1]}')).toBeUndefined();
  expect(firstDifference('{"k":2,…}', '{"k":3,"a":[1]}')).toBeDefined();
  expect(firstDifference('head\n…\nend 1', 'head\na\nb\nend 1')).toBeUndefined();
  expect(firstDifference('head\n…\nend 1', 'head\na\nb')).toBe('nothing like: end 1');
});

test('of one run, lines without figures have to be there', () => {
  expect(firstMissing('head\nrow 1\nend', 'head\nrow 2\nrow 3\nend')).toBeUndefined();
  expect(firstMissing('head\nrow 1\nend', 'end\nhead')).toBe('end');
});

test('the line above a block says what it is', () => {
  const page =
    '`a/b.csv`\n```csv\nid\n```\n\n<!-- not run: minutes -->\n```sh\nx\n```\n<!-- output -->\n```text\ny\n```\n';
  expect(codeBlocks(page)).toEqual([
    { language: 'csv', text: 'id', line: 2, file: 'a/b.csv' },
    { language: 'sh', text: 'x', line: 7, notRun: 'minutes' },
    { language: 'text', text: 'y', line: 11, output: 'always' },
  ]);
});
