/** Values by key as they were after any change, so that who began with an earlier state keeps seeing that one. */
export class Versions<Key, Value> {
  readonly #chains = new Map<Key, { readonly since: number; readonly value: Value }[]>();

  /** Changes come in order: `since` is not below that of any before. */
  set(key: Key, since: number, value: Value): void {
    const chain = this.#chains.get(key);
    if (chain === undefined) this.#chains.set(key, [{ since, value }]);
    else chain.push({ since, value });
  }

  /** The value after the change of this number; undefined if there was none yet. */
  get(key: Key, at: number): { readonly value: Value } | undefined {
    const chain = this.#chains.get(key);
    if (chain === undefined) return undefined;
    let i = chain.length - 1;
    while (i >= 0 && chain[i]!.since > at) i--;
    return chain[i];
  }

  /** Every key that ever had a value. */
  keys(): Iterable<Key> {
    return this.#chains.keys();
  }
}
