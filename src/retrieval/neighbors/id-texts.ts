/** A power of two: the texts of so many numbers are kept, some 20 MB of them. */
const slots = 1 << 17;

/**
 * Texts by number, each made once where there are at most 131,072 numbers: what is made of number n is kept until another number of the same
 * remainder needs the place. So a pass over a large catalogue makes some anew, rather than hold all.
 */
export function rememberedTexts(make: (number: number) => string): (number: number) => string {
  const texts: string[] = [];
  const numbers = new Float64Array(slots).fill(-1);
  return (number) => {
    const slot = number & (slots - 1);
    if (numbers[slot] === number) return texts[slot]!;
    const text = make(number);
    texts[slot] = text;
    numbers[slot] = number;
    return text;
  };
}
