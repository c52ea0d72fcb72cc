/** Numbers and attributes, for people. */

const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const formatCount = (value) => whole.format(value);
export const formatCompact = (value) => (value < 10_000 ? whole.format(value) : compact.format(value));

/** Of milliseconds: microseconds below one. */
export function formatTime(milliseconds) {
  if (milliseconds < 1) return `${whole.format(Math.max(1, Math.round(milliseconds * 1000)))}\u00a0µs`;
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : whole.format(Math.round(milliseconds))}\u00a0ms`;
}

export function formatBytes(bytes) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

export function formatScore(score) {
  return Math.abs(score) >= 100 ? score.toFixed(0) : score.toFixed(Math.abs(score) >= 10 ? 1 : 2);
}

export function formatShare(part, all) {
  if (all === 0) return '0\u00a0%';
  // A graph search also passes copies of nodes on its upper layers.
  const percent = Math.min(100, (100 * part) / all);
  return percent > 0 && percent < 0.1
    ? '<0.1\u00a0%'
    : `${percent < 10 ? percent.toFixed(1) : Math.round(percent)}\u00a0%`;
}

/** An attribute's name in words: `releaseYear` and `release_year` are `release year`. */
export function formatName(name) {
  return name
    .replaceAll(/[_-]+/g, ' ')
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

export function formatValue(value) {
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Up to two short attributes that tell an item from its like. */
export function subtitle(attributes) {
  return Object.entries(attributes)
    .filter(([name]) => name !== 'emoji')
    .map(([, value]) => (Array.isArray(value) ? value.slice(0, 3).join(', ') : String(value)))
    .filter((text) => text !== '' && text.length <= 60)
    .slice(0, 2)
    .join(' · ');
}
