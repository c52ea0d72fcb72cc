/** Rows of cells under a heading, columns aligned: the first to the left, the others to the right. */
export function textTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const lines = all.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** With thousands separators, or a dash for what was not reached or not measured. */
export function whole(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en');
}

/** With so many digits behind the point, or a dash. */
export function decimal(value: number | null | undefined, digits = 1): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
}
