import { NighError } from '../core/errors.js';

/** The stored form of a StringList. */
export interface PackedStrings {
  /** Every string as UTF-8, one after the other. */
  readonly bytes: Uint8Array;
  /** Where string i begins; one more entry than strings. */
  readonly offsets: Uint32Array;
}

/**
 * Many strings in one block of UTF-8: opened as it lies in a file, without one object a string. Reading one decodes it anew
 * (some 100 ns), so a list of a million opens as fast as a list of ten.
 */
export class StringList {
  readonly #bytes: Buffer;
  readonly #offsets: Uint32Array;

  /** @throws NighError FORMAT if the offsets do not fit the bytes */
  constructor({ bytes, offsets }: PackedStrings) {
    if (
      !(bytes instanceof Uint8Array) ||
      !(offsets instanceof Uint32Array) ||
      offsets.length === 0 ||
      offsets[0] !== 0
    ) {
      throw new NighError('FORMAT', 'A stored list of strings lacks its bytes or offsets.');
    }
    for (let i = 1; i < offsets.length; i++) {
      if (offsets[i]! < offsets[i - 1]!)
        throw new NighError('FORMAT', `A stored list of strings goes backwards at ${i}.`);
    }
    if (offsets[offsets.length - 1] !== bytes.length) {
      throw new NighError(
        'FORMAT',
        `A stored list of strings has ${bytes.length} bytes, its offsets end at ${offsets.at(-1)}.`,
      );
    }
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offsets = offsets;
  }

  get size(): number {
    return this.#offsets.length - 1;
  }

  /** String i; i must be in range. */
  at(i: number): string {
    return this.#bytes.toString('utf8', this.#offsets[i], this.#offsets[i + 1]);
  }

  /** Order of string i and a UTF-8 text: negative, zero or positive, by bytes. With `prefix`, only as many bytes as the text has count. */
  compare(i: number, text: Uint8Array, prefix = false): number {
    const begin = this.#offsets[i]!;
    const end = this.#offsets[i + 1]!;
    return this.#bytes.compare(text, 0, text.length, begin, prefix ? Math.min(end, begin + text.length) : end);
  }

  /** Order of two strings of the list, by bytes. */
  compareWithin(i: number, j: number): number {
    const o = this.#offsets;
    return this.#bytes.compare(this.#bytes, o[j]!, o[j + 1]!, o[i]!, o[i + 1]!);
  }

  /** @throws NighError CAPACITY above 4 GiB of text */
  static pack(strings: readonly string[]): PackedStrings {
    const offsets = new Uint32Array(strings.length + 1);
    let size = 0;
    strings.forEach((text, i) => {
      size += Buffer.byteLength(text, 'utf8');
      if (size > 0xffffffff) throw new NighError('CAPACITY', 'A list of strings holds at most 4 GiB of text.');
      offsets[i + 1] = size;
    });
    const bytes = Buffer.allocUnsafeSlow(size);
    strings.forEach((text, i) => {
      bytes.write(text, offsets[i]!, 'utf8');
    });
    return { bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, size), offsets };
  }
}
