import { describe, NighError } from '../core/errors.js';
import { isPlainObject } from '../core/params.js';

/** Reads a stored model's fields with their types and sizes checked: what comes from a file is not trusted. */
export class ModelReader {
  readonly #embedding: string;
  readonly #model: Readonly<Record<string, unknown>>;

  constructor(embedding: string, model: Readonly<Record<string, unknown>>) {
    this.#embedding = embedding;
    this.#model = model;
  }

  integer(key: string): number {
    const value = this.#model[key];
    return Number.isSafeInteger(value) ? (value as number) : this.#refuse(key, 'an integer', value);
  }

  number(key: string): number {
    const value = this.#model[key];
    return Number.isFinite(value) ? (value as number) : this.#refuse(key, 'a number', value);
  }

  flag(key: string): boolean {
    const value = this.#model[key];
    return typeof value === 'boolean' ? value : this.#refuse(key, 'true or false', value);
  }

  text(key: string): string {
    const value = this.#model[key];
    return typeof value === 'string' ? value : this.#refuse(key, 'a text', value);
  }

  bytes(key: string): Uint8Array {
    const value = this.#model[key];
    return value instanceof Uint8Array ? value : this.#refuse(key, 'bytes', value);
  }

  strings(key: string): readonly string[] {
    const value = this.#model[key];
    const fits = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
    return fits ? value : this.#refuse(key, 'a list of strings', value);
  }

  floats(key: string, length: number): Float32Array {
    const value = this.#model[key];
    const fits = value instanceof Float32Array && value.length === length;
    return fits ? value : this.#refuse(key, `a Float32Array of ${length}`, value);
  }

  doubles(key: string): Float64Array {
    const value = this.#model[key];
    return value instanceof Float64Array ? value : this.#refuse(key, 'a Float64Array', value);
  }

  objects(key: string, length: number): readonly Readonly<Record<string, unknown>>[] {
    const value = this.#model[key];
    const fits = Array.isArray(value) && value.length === length && value.every(isPlainObject);
    return fits ? value : this.#refuse(key, `a list of ${length} objects`, value);
  }

  object(key: string): Readonly<Record<string, unknown>> {
    const value = this.#model[key];
    return isPlainObject(value) ? value : this.#refuse(key, 'an object', value);
  }

  /** Reads with a reader of options; what it refuses makes the model wrong. */
  parsed<T>(key: string, parse: (value: Readonly<Record<string, unknown>>, path: string) => T): T {
    const value = this.object(key);
    try {
      return parse(value, key);
    } catch (cause) {
      if (!(cause instanceof NighError)) throw cause;
      throw new NighError('FORMAT', `The stored ${this.#embedding} model: ${cause.message}`, { cause });
    }
  }

  #refuse(key: string, expected: string, actual: unknown): never {
    throw new NighError(
      'FORMAT',
      `The stored ${this.#embedding} model: ${key}: expected ${expected}, got ${describe(actual)}.`,
    );
  }
}
