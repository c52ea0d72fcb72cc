/**
 * Finds items by title: the type-ahead of the explorer, and the titles of the command line.
 *
 * A title's key is its words (letters and digits, lower case, without accents) joined by blanks, so that punctuation, case and
 * accents never matter; a title without words is its own key. Two indexes are made at build and mapped into use as they are:
 * keys in order, for "begins with", and word → items, for "contains".
 */
import { NighError } from '../core/errors.js';
import { type PackedStringIndex, StringIndex } from './string-index.js';

/** The stored form of a TitleSearch. */
export interface PackedTitleSearch {
  /** The key of every item's title. */
  readonly keys: PackedStringIndex;
  /** Distinct words. */
  readonly words: PackedStringIndex;
  /** words + 1: where the items of a word begin in `items`. */
  readonly postings: Uint32Array;
  /** Item ordinals, ascending within a word. */
  readonly items: Uint32Array;
}

export class TitleSearch {
  readonly #keys: StringIndex;
  readonly #words: StringIndex;
  readonly #postings: Uint32Array;
  readonly #items: Uint32Array;
  /** Interactions by item. */
  readonly #popularity: Uint32Array;

  /** @throws NighError FORMAT */
  constructor(packed: PackedTitleSearch, popularity: Uint32Array) {
    this.#keys = new StringIndex(packed.keys);
    this.#words = new StringIndex(packed.words);
    const { postings, items } = packed;
    const fits =
      postings instanceof Uint32Array &&
      items instanceof Uint32Array &&
      postings.length === this.#words.size + 1 &&
      postings.at(-1) === items.length &&
      postings.every((at, w) => at <= items.length && (w === 0 || at >= postings[w - 1]!)) &&
      items.every((item) => item < this.#keys.size) &&
      popularity.length === this.#keys.size;
    if (!fits) throw new NighError('FORMAT', 'The stored index of titles contradicts itself.');
    this.#postings = postings;
    this.#items = items;
    this.#popularity = popularity;
  }

  /**
   * Items whose title is the words, then those whose title begins with them, then those in which every one of them begins a
   * word; most interacted first, ties by item order. The empty query begins every title.
   */
  find(query: string, limit: number): number[] {
    const key = titleKey(query);
    const same = this.#mostInteracted(this.#keys.findAll(key), limit);
    const taken = new Set(same);
    const beginning = this.#mostInteracted(
      this.#keys.startingWith(key).filter((item) => !taken.has(item)),
      limit - same.length,
    );
    const found = [...same, ...beginning];
    if (found.length >= limit || key === '') return found;
    for (const item of beginning) taken.add(item);
    const containing = this.#containing(key.split(' '), true).filter((item) => !taken.has(item));
    return [...found, ...this.#mostInteracted(containing, limit - found.length)];
  }

  /** Items whose title equals the text but for case, accents and punctuation. */
  named(title: string): readonly number[] {
    return [...this.#keys.findAll(titleKey(title))].sort(
      (a, b) => this.#popularity[b]! - this.#popularity[a]! || a - b,
    );
  }

  /** Of the items whose title holds every one of the words whole, those with the fewest words beside them; most interacted first. */
  closest(query: string): readonly number[] {
    const words = titleKey(query).split(' ');
    let best: number[] = [];
    let fewest = Number.POSITIVE_INFINITY;
    for (const item of this.#containing(words, false)) {
      const count = this.#keys.at(item).split(' ').length;
      if (count < fewest) {
        fewest = count;
        best = [];
      }
      if (count === fewest) best.push(item);
    }
    return best.sort((a, b) => this.#popularity[b]! - this.#popularity[a]! || a - b);
  }

  /** Items to offer for a query that named none: those that share its beginning, or words that begin or nearly read like its words. */
  suggest(query: string, limit: number): number[] {
    const found = this.find(query, limit);
    if (found.length > 0) return found;
    const counts = new Map<number, number>();
    for (const word of titleKey(query).split(' ')) {
      const items = new Set<number>();
      for (const like of this.#likeWords(word)) {
        for (const item of this.#items.subarray(this.#postings[like], this.#postings[like + 1])) items.add(item);
      }
      for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
    }
    const most = Math.max(0, ...counts.values());
    return this.#mostInteracted(
      [...counts].flatMap(([item, count]) => (count === most ? [item] : [])),
      limit,
    );
  }

  /** Items that have every word, whole or as the beginning of one. */
  #containing(words: readonly string[], asPrefix: boolean): number[] {
    const distinct = [...new Set(words)];
    // How many of the words so far every item has: it can only have word n if it had all before.
    const matched = new Uint32Array(this.#keys.size);
    let found: number[] = [];
    distinct.forEach((word, n) => {
      found = [];
      for (const entry of asPrefix ? this.#words.startingWith(word) : this.#words.findAll(word)) {
        for (let at = this.#postings[entry]!; at < this.#postings[entry + 1]!; at++) {
          const item = this.#items[at]!;
          if (matched[item] !== n) continue;
          matched[item] = n + 1;
          found.push(item);
        }
      }
    });
    return found;
  }

  /** Words that share most of the word's two-letter pieces (Dice coefficient of at least 0.6), among those of its first letter. */
  #likeWords(word: string): number[] {
    const pieces = new Set(bigrams(word));
    const similar: number[] = [];
    for (const candidate of this.#words.startingWith([...word][0] ?? '')) {
      const others = bigrams(this.#words.at(candidate));
      const shared = others.filter((piece) => pieces.has(piece)).length;
      if (2 * shared >= 0.6 * (pieces.size + others.length)) similar.push(candidate);
    }
    return similar;
  }

  /** The first `limit` by interactions, ties by item order, in one pass. */
  #mostInteracted(items: ArrayLike<number>, limit: number): number[] {
    const top: number[] = [];
    if (limit <= 0) return top;
    const before = (a: number, b: number) =>
      this.#popularity[a]! > this.#popularity[b]! || (this.#popularity[a] === this.#popularity[b] && a < b);
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

  static pack(titles: readonly string[]): PackedTitleSearch {
    const keys = titles.map(titleKey);
    const byWord = new Map<string, number[]>();
    keys.forEach((key, item) => {
      for (const word of new Set(key.split(' '))) {
        const items = byWord.get(word);
        if (items === undefined) byWord.set(word, [item]);
        else items.push(item);
      }
    });
    const words = [...byWord.keys()];
    const postings = new Uint32Array(words.length + 1);
    words.forEach((word, w) => {
      postings[w + 1] = postings[w]! + byWord.get(word)!.length;
    });
    const items = new Uint32Array(postings.at(-1)!);
    words.forEach((word, w) => {
      items.set(byWord.get(word)!, postings[w]);
    });
    return { keys: StringIndex.index(keys), words: StringIndex.index(words), postings, items };
  }
}

/** What titles and queries are compared by. */
export function titleKey(title: string): string {
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu)?.join(' ') ?? plain.trim();
}

function bigrams(word: string): string[] {
  const letters = [...`^${word}`];
  return letters.slice(1).map((letter, i) => `${letters[i]}${letter}`);
}
