/**
 * Finds items by title: the type-ahead of the explorer, and the titles of the command line.
 *
 * A title's key is its words (letters and digits, lower case, without accents) joined by blanks, so that punctuation, case and
 * accents never matter; a title without words is its own key. Two indexes are made at build and mapped into use as they are:
 * keys in order, for "begins with", and word → items, for "contains".
 */
import { breathe } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import { type PackedStringIndex, StringIndex } from './string-index.js';
import { areAlike, TitleFinder, titleKey } from './title-finder.js';

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

/** Titles between two turns of the event loop. */
const packedAtOnce = 2000;

export class TitleSearch extends TitleFinder {
  readonly #keys: StringIndex;
  readonly #words: StringIndex;
  readonly #postings: Uint32Array;
  readonly #items: Uint32Array;
  /** Interactions by item. */
  readonly popularity: Uint32Array;

  /** @throws NighError FORMAT */
  constructor(packed: PackedTitleSearch, popularity: Uint32Array) {
    super();
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
    this.popularity = popularity;
  }

  override named(key: string): Uint32Array {
    return this.#keys.findAll(key);
  }

  override beginning(key: string): Uint32Array {
    return this.#keys.startingWith(key);
  }

  override wordsOf(item: number): number {
    return this.#keys.at(item).split(' ').length;
  }

  override alike(word: string): ReadonlySet<number> {
    const items = new Set<number>();
    for (const like of this.#words.startingWith([...word][0] ?? '')) {
      if (!areAlike(word, this.#words.at(like))) continue;
      for (const item of this.#items.subarray(this.#postings[like], this.#postings[like + 1])) items.add(item);
    }
    return items;
  }

  override containing(words: readonly string[], asPrefix: boolean): number[] {
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

  /** @throws NighError CAPACITY, ABORTED */
  static async pack(titles: readonly string[], signal?: AbortSignal): Promise<PackedTitleSearch> {
    const keys: string[] = [];
    const byWord = new Map<string, number[]>();
    for (const [item, title] of titles.entries()) {
      if (item % packedAtOnce === 0) await breathe(signal);
      const key = titleKey(title);
      keys.push(key);
      for (const word of new Set(key.split(' '))) {
        const items = byWord.get(word);
        if (items === undefined) byWord.set(word, [item]);
        else items.push(item);
      }
    }
    const words = [...byWord.keys()];
    const postings = new Uint32Array(words.length + 1);
    words.forEach((word, w) => {
      postings[w + 1] = postings[w]! + byWord.get(word)!.length;
    });
    const items = new Uint32Array(postings.at(-1)!);
    words.forEach((word, w) => {
      items.set(byWord.get(word)!, postings[w]);
    });
    return {
      keys: await StringIndex.index(keys, signal),
      words: await StringIndex.index(words, signal),
      postings,
      items,
    };
  }
}
