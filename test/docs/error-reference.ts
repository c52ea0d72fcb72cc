/** docs/reference/errors.md: the table of src/core/errors.ts. */
import { errorKinds } from '../../src/core/errors.js';
import { type GeneratedPage, page, table } from './pages.js';

export function errorReference(): GeneratedPage {
  const rows = Object.entries(errorKinds).map(([code, { status, meaning }]) => [
    `\`${code}\``,
    String(status),
    meaning,
  ]);
  return page('errors.md', 'Errors', 'the table in `src/core/errors.ts`', [
    'Everything fails with a `NighError`. Its `code` is stable, its message is for people and says what was expected and what came, and its `cause` is the reason\n' +
      'where there is another one. Over HTTP it is a problem document (RFC 9457) with the same `code` and this status; the command line prints it in brackets after\n' +
      'the message, or as an object with `--json`.',
    table(['code', 'HTTP', 'meaning'], rows),
  ]);
}
