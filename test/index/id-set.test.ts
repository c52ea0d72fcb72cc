import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdSet, nativeIdSet } from '../../src/index/id-set.js';

const id = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 65535, 65536, 0xffffffff),
);
const ids = fc.array(id, { maxLength: 60 });

describe('IdSet', () => {
  test('behaves like a set of numbers under allow, deny, and, or, not', () => {
    fc.assert(
      fc.property(ids, ids, fc.boolean(), fc.boolean(), ids, (left, right, denyLeft, denyRight, probes) => {
        const a = denyLeft ? IdSet.deny(left) : IdSet.allow(left);
        const b = denyRight ? IdSet.deny(right) : IdSet.allow(right);
        const inA = (probe: number) => left.includes(probe) !== denyLeft;
        const inB = (probe: number) => right.includes(probe) !== denyRight;
        const [both, either, notA, neither] = [a.and(b), a.or(b), a.not(), a.not().and(b.not())];
        for (const probe of [...left, ...right, ...probes]) {
          expect(a.has(probe)).toBe(inA(probe));
          expect(notA.has(probe)).toBe(!inA(probe));
          expect(both.has(probe)).toBe(inA(probe) && inB(probe));
          expect(either.has(probe)).toBe(inA(probe) || inB(probe));
          expect(neither.has(probe)).toBe(!either.has(probe));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('lists its ids once each, ascending', () => {
    fc.assert(
      fc.property(ids, (list) => {
        const inside = nativeIdSet('set', IdSet.allow(list));
        expect(Array.from(inside.listedIds())).toEqual([...new Set(list)].sort((a, b) => a - b));
        expect(inside.listed).toBe(new Set(list).size);
        expect(inside.complement).toBe(false);
        expect(nativeIdSet('set', IdSet.deny(list)).complement).toBe(true);
      }),
    );
  });

  test('is made from a Uint32Array, an array, a set or a generator; later changes of those do not reach it', () => {
    function* some() {
      yield 3;
      yield 9;
    }
    const array = Uint32Array.of(3, 9);
    for (const source of [array, [3, 9], new Set([3, 9]), some(), array.subarray(0)]) {
      const set = IdSet.allow(source);
      expect([set.has(3), set.has(9), set.has(4)]).toEqual([true, true, false]);
    }
    const set = IdSet.allow(array);
    array[0] = 7;
    expect([set.has(3), set.has(7)]).toEqual([true, false]);
  });

  test.each([
    [[-1]],
    [[1.5]],
    [[2 ** 32]],
    [['1']],
    [[Number.NaN]],
    [[null]],
    [5],
    ['12'],
    [null],
    [undefined],
    [{}],
    [new Float32Array(2).fill(0.5)],
  ])('ids of %j are refused', (bad) => {
    for (const make of [IdSet.allow, IdSet.deny]) {
      expect(() => make(bad as number[])).toThrow(
        expect.objectContaining({ name: 'NighError', code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  test('what is no IdSet cannot be combined with one', () => {
    for (const bad of [null, undefined, {}, [1], Object.create(IdSet.prototype)]) {
      expect(() => IdSet.allow([1]).and(bad as IdSet)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      expect(() => IdSet.allow([1]).or(bad as IdSet)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(() => IdSet.allow([1]).has(-1)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
