import { breathe } from '../../core/abort.js';
import { Journal, type JournalPlace } from '../journal/journal.js';

export interface CheckedJournal {
  /** Changes since the generation. */
  readonly changes: number;
  /** The generations that fitted what placed its items. */
  readonly fits: ReadonlySet<string>;
}

const changesAtOnce = 1000;

/**
 * Reads every change that a journal holds, of which those since a generation must be all there.
 * @param included the last change that the generation has in it
 * @returns undefined where there is no journal, and the generation knows of none
 * @throws NighError NOT_FOUND where it has one and it is gone; Trimmed, CHECKSUM_MISMATCH, FORMAT, TRUNCATED, VERSION_UNSUPPORTED, IO, ABORTED
 */
export async function checkJournal(
  place: JournalPlace,
  included: number,
  signal?: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<CheckedJournal | undefined> {
  Journal.requireKnown(place, included);
  if (!Journal.exists(place)) return undefined;
  const journal = await Journal.open(place, 0, false);
  try {
    const fits = new Set<string>();
    let [changes, last] = [0, Math.min(journal.trimmed, included)];
    while (last < journal.head) {
      await breathe(signal);
      onProgress?.(last, journal.head);
      // What the generation has in it may be trimmed meanwhile.
      if (last < included && journal.trimmed > last) last = Math.min(journal.trimmed, included);
      const entries = journal.after(last, changesAtOnce);
      for (const { sequence, change } of entries) {
        if (sequence > included) changes++;
        if (change.type === 'upsert') fits.add(change.fit);
      }
      last = entries.at(-1)?.sequence ?? last;
    }
    return { changes, fits };
  } finally {
    await journal.close();
  }
}
