/** How titles are found, whatever holds them: a stored index (title-search.ts), or one with changes on top. */
export abstract class TitleFinder {
  /** Interactions by item. */
  abstract readonly popularity: Uint32Array;

  /** Items whose key is this one. */
  abstract named(key: string): ArrayLike<number> & Iterable<number>;

  /** Items whose key begins with this. */
  abstract beginning(key: string): ArrayLike<number> & Iterable<number>;

  /** Items that have every word, whole or as the beginning of one; each once. */
  abstract containing(words: readonly string[], asPrefix: boolean): readonly number[];

  /** How many words an item's key has. */
  abstract wordsOf(item: number): number;

  /** Items that have a word that nearly reads like this one. */
  abstract alike(word: string): ReadonlySet<number>;

  /**
   * Items whose title is the words, then those whose title begins with them, then those in which every one of them begins a
   * word; most interacted first, ties by item order. The empty query begins every title.
   */
  find(query: string, limit: number): number[] {
    const key = titleKey(query);
    const same = this.#mostInteracted(this.named(key), limit);
    const taken = new Set(same);
    const beginning = this.#mostInteracted(
      Uint32Array.from(this.beginning(key)).filter((item) => !taken.has(item)),
      limit - same.length,
    );
    const found = [...same, ...beginning];
    if (found.length >= limit || key === '') return found;
    for (const item of beginning) taken.add(item);
    const containing = this.containing(key.split(' '), true).filter((item) => !taken.has(item));
    return [...found, ...this.#mostInteracted(containing, limit - found.length)];
  }

  /** Items whose title equals the text but for case, accents and punctuation. */
  entitled(title: string): readonly number[] {
    return [...this.named(titleKey(title))].sort((a, b) => this.popularity[b]! - this.popularity[a]! || a - b);
  }

  /** Of the items whose title holds every one of the words whole, those with the fewest words beside them; most interacted first. */
  closest(query: string): readonly number[] {
    const words = titleKey(query).split(' ');
    let best: number[] = [];
    let fewest = Number.POSITIVE_INFINITY;
    for (const item of this.containing(words, false)) {
      const count = this.wordsOf(item);
      if (count < fewest) {
        fewest = count;
        best = [];
      }
      if (count === fewest) best.push(item);
    }
    return best.sort((a, b) => this.popularity[b]! - this.popularity[a]! || a - b);
  }

  /** Items to offer for a query that named none: those that share its beginning, or words that begin or nearly read like its words. */
  suggest(query: string, limit: number): number[] {
    const found = this.find(query, limit);
    if (found.length > 0) return found;
    const counts = new Map<number, number>();
    for (const word of titleKey(query).split(' ')) {
      for (const item of this.alike(word)) counts.set(item, (counts.get(item) ?? 0) + 1);
    }
    const most = Math.max(0, ...counts.values());
    return this.#mostInteracted(
      [...counts].flatMap(([item, count]) => (count === most ? [item] : [])),
      limit,
    );
  }

  /** The first `limit` by interactions, ties by item order, in one pass. */
  #mostInteracted(items: ArrayLike<number>, limit: number): number[] {
    const { popularity } = this;
    const top: number[] = [];
    if (limit <= 0) return top;
    const before = (a: number, b: number) =>
      popularity[a]! > popularity[b]! || (popularity[a] === popularity[b] && a < b);
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!;
      if (top.length === limit && !before(item, top[limit - 1]!)) continue;
      let at = top.length < limit ? top.length : limit - 1;
      while (at > 0 && before(item, top[at - 1]!)) {
        top[at] = top[at - 1]!;
        at--;
      }
      top[at] = item;
    }
    return top;
  }
}

/** What titles and queries are compared by. */
export function titleKey(title: string): string {
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu)?.join(' ') ?? plain.trim();
}

/** Whether words share most of their two-letter pieces (Dice coefficient of at least 0.6) and their first letter. */
export function areAlike(word: string, candidate: string): boolean {
  if ([...word][0] !== [...candidate][0]) return false;
  const pieces = new Set(bigrams(word));
  const others = bigrams(candidate);
  const shared = others.filter((piece) => pieces.has(piece)).length;
  return 2 * shared >= 0.6 * (pieces.size + others.length);
}

function bigrams(word: string): string[] {
  const letters = [...`^${word}`];
  return letters.slice(1).map((letter, i) => `${letters[i]}${letter}`);
}
