import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Vocabulary } from '../../src/core/vocabulary.js';

describe('Vocabulary', () => {
  it('gives every new term the next ordinal and every known one its own', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 })), (terms) => {
        const vocabulary = new Vocabulary();
        const distinct: string[] = [];
        for (const term of terms) {
          if (!distinct.includes(term)) distinct.push(term);
          expect(vocabulary.add(term)).toBe(distinct.indexOf(term));
        }
        expect(vocabulary.terms).toEqual(distinct);
        expect(vocabulary.size).toBe(distinct.length);
        for (const [ordinal, term] of distinct.entries()) {
          expect(vocabulary.ordinal(term)).toBe(ordinal);
          expect(vocabulary.term(ordinal)).toBe(term);
        }
      }),
    );
  });

  it('knows nothing of what objects inherit', () => {
    const vocabulary = new Vocabulary(['a']);
    expect(vocabulary.ordinal('constructor')).toBeUndefined();
    expect(vocabulary.add('__proto__')).toBe(1);
    expect(vocabulary.term(1)).toBe('__proto__');
  });

  it('takes terms with their positions as ordinals', () => {
    const vocabulary = new Vocabulary(['x', 'y']);
    expect([vocabulary.ordinal('x'), vocabulary.ordinal('y'), vocabulary.ordinal('z')]).toEqual([0, 1, undefined]);
  });

  it('refuses a term that occurs twice, naming it', () => {
    expect(() => new Vocabulary(['a', 'b', 'a'])).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_ID', message: expect.stringContaining('"a"') }),
    );
  });

  it.each([-1, 1, 0.5, Number.NaN])('refuses the ordinal %d in a vocabulary of one', (ordinal) => {
    expect(() => new Vocabulary(['a']).term(ordinal)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
