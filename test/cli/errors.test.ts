import { CommanderError } from 'commander';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { reportError, UsageError } from '../../src/cli/errors.js';
import { errorKinds, NighError } from '../../src/core/errors.js';

let written = '';
beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written += String(chunk);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('a failure is one line with its code, and exit code 1', () => {
  const error = new NighError('UNKNOWN_ITEM', 'There is no item "exprss". Did you mean "express"?');
  expect(reportError(error, false, undefined)).toBe(1);
  expect(written).toBe('nigh: There is no item "exprss". Did you mean "express"? [UNKNOWN_ITEM]\n');
});

test('wrong usage ends with 2, whoever noticed it', () => {
  expect(reportError(new UsageError('INVALID_ARGUMENT', '-k: expected …', 'similar'), false, undefined)).toBe(2);
  expect(written).toContain('Try: nigh similar --help');
  const unknown = new CommanderError(
    1,
    'commander.unknownOption',
    "error: unknown option '--jsn'\n(Did you mean --json?)",
  );
  written = '';
  expect(reportError(unknown, false, undefined)).toBe(2);
  expect(written).toBe("nigh: Unknown option '--jsn'. Did you mean --json? [UNKNOWN_OPTION]\n");
});

test('for a machine every code becomes a problem document with the status and title of the table', () => {
  for (const [code, { status, meaning }] of Object.entries(errorKinds)) {
    written = '';
    reportError(new NighError(code as keyof typeof errorKinds, 'detail'), true, undefined);
    expect(JSON.parse(written)).toEqual({
      type: `urn:nigh:error:${code.toLowerCase().replaceAll('_', '-')}`,
      title: meaning,
      status,
      detail: 'detail',
      code,
    });
  }
});

test('stopping by a signal is told apart from a failure, and a failure during it is still a failure', () => {
  const aborted = new NighError('ABORTED', 'The operation was aborted.');
  expect(reportError(aborted, false, 'SIGINT')).toBe(130);
  expect(reportError(aborted, false, 'SIGTERM')).toBe(143);
  expect(reportError(aborted, false, undefined)).toBe(1);
  expect(reportError(new NighError('IO', 'disk full'), false, 'SIGINT')).toBe(1);
});

test('a fault of nigh itself says where it happened and what caused it', () => {
  expect(reportError(new TypeError('x is undefined', { cause: new Error('the reason') }), false, undefined)).toBe(1);
  expect(written).toContain('nigh: x is undefined [INTERNAL]');
  expect(written).toContain('errors.test.ts');
  expect(written).toContain('the reason');
});
