/** The typed arrays in which numbers are collected. */
type Numbers = Uint32Array | Float32Array | Float64Array;

/** A typed array that grows as it is appended to: amortised constant time, no boxed numbers. */
export class GrowableArray<A extends Numbers> {
  #data: A;
  #length = 0;
  readonly #make: (length: number) => A;

  private constructor(make: (length: number) => A) {
    this.#make = make;
    this.#data = make(1024);
  }

  static uint32(): GrowableArray<Uint32Array> {
    return new GrowableArray((length) => new Uint32Array(length));
  }

  static float32(): GrowableArray<Float32Array> {
    return new GrowableArray((length) => new Float32Array(length));
  }

  static float64(): GrowableArray<Float64Array> {
    return new GrowableArray((length) => new Float64Array(length));
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#data.length) this.#grow(this.#length + 1);
    this.#data[this.#length++] = value;
  }

  append(values: ArrayLike<number>): void {
    const length = this.#length + values.length;
    if (length > this.#data.length) this.#grow(length);
    this.#data.set(values, this.#length);
    this.#length = length;
  }

  /** What was appended, as a view that is good until the next push. */
  view(): A {
    return this.#data.subarray(0, this.#length) as A;
  }

  #grow(needed: number): void {
    // Half as much again: at 20 million entries doubling would reserve up to twice what is needed.
    const grown = this.#make(Math.max(needed, Math.ceil(this.#data.length * 1.5)));
    grown.set(this.#data);
    this.#data = grown;
  }
}
