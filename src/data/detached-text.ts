/**
 * The same text in memory of its own. A piece cut out of a line is a view into the chunk of the file that the line came from, and
 * one word would keep all of that chunk alive. V8 copies pieces of up to 12 characters by itself.
 */
export function detached(text: string): string {
  if (text.length <= 12) return text;
  const copy = Buffer.from(text).toString();
  // Half of a surrogate pair does not survive UTF-8.
  return copy === text ? copy : text;
}
