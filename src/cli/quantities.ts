/** Numbers as people read them. The language is fixed: the output of a command does not depend on the machine's. */

const grouped = new Intl.NumberFormat('en-US');

/** `1234567` → `1,234,567`. */
export function count(value: number): string {
  return grouped.format(value);
}

/** `1` → `1 item`, `2` → `2 items`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${value === 1 ? noun : `${noun}s`}`;
}

/** Bytes in powers of ten, as disks and networks count. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let scaled = value / 1000;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${units[unit]}`;
}

/** A duration of milliseconds to hours. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${seconds < 0.01 ? (seconds * 1000).toFixed(2) : Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${padded(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} min`;
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}

/** A recall or share: four digits, so that 0.9996 is not read as perfect. */
export function share(value: number): string {
  return value.toFixed(4);
}
