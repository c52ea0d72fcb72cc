import type { Request, Scored } from './stages.js';

/** Which sources have had how many places. */
export class Quotas {
  readonly #wanted: readonly { readonly share: number; readonly ranks: readonly Uint32Array[] }[];
  readonly #counts: number[];
  readonly #k: number;

  constructor({ query: { quotas, k }, sources }: Request, { ranks }: Scored) {
    this.#k = k;
    this.#wanted = Object.entries(quotas).map(([name, share]) => ({
      share,
      ranks: ranks.filter((_, s) => sources[s]!.name === name),
    }));
    this.#counts = this.#wanted.map(() => 0);
  }

  /** The source that has too few among the first `places`, if one has. */
  behind(places: number): number | undefined {
    const found = this.#wanted.findIndex(({ share }, s) => Math.floor(share * places + 1e-9) > this.#counts[s]!);
    return found < 0 ? undefined : found;
  }

  isOf(source: number, p: number): boolean {
    return this.#wanted[source]!.ranks.some((row) => row[p]! < this.#k);
  }

  add(p: number): void {
    this.#wanted.forEach((_, s) => {
      if (this.isOf(s, p)) this.#counts[s] = this.#counts[s]! + 1;
    });
  }
}
