import type { AlgorithmSpec } from './algorithm.js';

/** Reads the build parameters of a grid's algorithm and refuses those that nobody asked for: a misspelt one would measure something else. */
export class BuildParameters {
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #key: string;
  readonly #read = new Set<string>();

  constructor({ key, build }: AlgorithmSpec) {
    this.#given = build;
    this.#key = key;
  }

  /** @throws Error unless it is a positive integer */
  count(name: string, fallback: number): number;
  count(name: string): number | undefined;
  count(name: string, fallback?: number): number | undefined {
    const value = this.#take(name) ?? fallback;
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw new Error(`${this.#key}: ${name} is to be a positive integer, not ${JSON.stringify(value)}`);
  }

  /** @throws Error unless it is one of the names */
  choice<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const found = names.find((known) => known === value);
    if (found !== undefined) return found;
    throw new Error(`${this.#key}: ${name} is to be one of ${names.join(', ')}, not ${JSON.stringify(value)}`);
  }

  /** @throws Error where one was given and not read */
  refuseOthers(): void {
    const other = Object.keys(this.#given).find((name) => !this.#read.has(name));
    if (other !== undefined) throw new Error(`${this.#key}: there is no build parameter ${other}`);
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#given[name];
  }
}
