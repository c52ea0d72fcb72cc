import { describe, NighError } from './errors.js';

/**
 * `cf=0.7,text=0.3` → `{ cf: 0.7, text: 0.3 }`: how weights and quotas are written on the command line and in query strings. What the numbers may be is
 * for whoever reads the object.
 * @throws NighError INVALID_ARGUMENT
 */
export function numbersByName(text: string, path: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    text.split(',').map((entry) => {
      const at = entry.lastIndexOf('=');
      const name = entry.slice(0, at).trim();
      const digits = entry.slice(at + 1).trim();
      const value = Number(digits);
      if (at > 0 && name !== '' && digits !== '' && Number.isFinite(value)) return [name, value];
      throw new NighError(
        'INVALID_ARGUMENT',
        `${path}: expected name=number, such as cf=0.7,text=0.3, got ${describe(entry)}.`,
      );
    }),
  );
}
