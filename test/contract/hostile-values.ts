/** Values of every sort, for parameters that want another: what JavaScript lets through where TypeScript would not. */

/** Name → a fresh value. */
export const hostileValues: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  zero: () => 0,
  'minus zero': () => -0,
  one: () => 1,
  'minus one': () => -1,
  'one and a half': () => 1.5,
  'ten million': () => 10_000_000,
  '2 ** 32': () => 2 ** 32,
  '2 ** 53': () => 2 ** 53,
  '1e308': () => 1e308,
  'the smallest number': () => Number.MIN_VALUE,
  NaN: () => Number.NaN,
  infinity: () => Number.POSITIVE_INFINITY,
  'minus infinity': () => Number.NEGATIVE_INFINITY,
  'a big integer': () => 5n,
  'empty text': () => '',
  'a digit as text': () => '5',
  'long text': () => 'x'.repeat(100_000),
  'a symbol': () => Symbol('five'),
  'a function': () => () => 5,
  'an empty array': () => [],
  'an array': () => [1, 2],
  'an array of text': () => ['1', '2'],
  'an object': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'an object of another shape': () => ({ data: [1, 2, 3, 4], rows: 1, dim: 4 }),
  'an object that cannot name its class': () => ({ constructor: null }),
  'a date': () => new Date(0),
  'a map': () => new Map([[1, 2]]),
  'a promise': () => Promise.resolve(4),
  'an ArrayBuffer': () => new ArrayBuffer(16),
  'a DataView': () => new DataView(new ArrayBuffer(16)),
  'a Buffer': () => Buffer.alloc(16),
  'a Float64Array': () => new Float64Array(4),
  'an Int32Array': () => new Int32Array(4),
  'a BigUint64Array': () => new BigUint64Array(4),
  'an empty Float32Array': () => new Float32Array(),
  'a Float32Array of another length': () => new Float32Array(7),
  'a detached Float32Array': () => detached(new Float32Array(4)),
  'a detached Uint32Array': () => detached(new Uint32Array(4)),
  'a proxy of a Float32Array': () => new Proxy(new Float32Array(4), {}),
  'a proxy of a Uint32Array': () => new Proxy(new Uint32Array(4), {}),
  'an object that inherits from a Float32Array': () => Object.create(new Float32Array(4)),
  'an object with the prototype of Float32Array': () => Object.create(Float32Array.prototype),
};

/** The same array after its buffer went to somebody else. */
export function detached<T extends ArrayBufferView>(array: T): T {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

/** The same numbers in arrays that lie in unusual memory: each must be read like a plain one. */
export function unusualArrays(values: Float32Array): Readonly<Record<string, Float32Array>> {
  const { length, byteLength } = values;
  const within = new Float32Array(length + 3).subarray(3);
  const shared = new Float32Array(new SharedArrayBuffer(byteLength + 4), 4);
  const resizable = new Float32Array(resizableBuffer(byteLength));
  const resized = new Float32Array(resizableBuffer(4));
  (resized.buffer as ArrayBuffer & { resize(bytes: number): void }).resize(byteLength);
  const inBuffer = new Float32Array(Buffer.allocUnsafeSlow(byteLength + 8).buffer, 8, length);
  const arrays = {
    'a view from an odd element on': within,
    'a view of shared memory': shared,
    'a view of a resizable buffer': resizable,
    'a view that has grown with its buffer': resized,
    "a view of a Buffer's memory": inBuffer,
    'a Float32Array of a subclass': new (class Mine extends Float32Array {})(length),
  };
  for (const array of Object.values(arrays)) array.set(values);
  return arrays;
}

function resizableBuffer(bytes: number): ArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;
  return new Resizable(bytes, { maxByteLength: 1 << 20 });
}
