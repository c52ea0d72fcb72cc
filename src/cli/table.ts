import { textWidth, truncate } from './text-width.js';

/** One column of a table. */
export interface TableColumn {
  readonly header: string;
  /** Numbers stand to the right, words to the left. Default left. */
  readonly align?: 'left' | 'right';
  /** Gives way first when the terminal is narrow. Default false. */
  readonly flexible?: boolean;
}

const gap = '  ';
/** A flexible column keeps this many columns, however narrow the terminal. */
const narrowest = 8;

/**
 * A table of aligned columns, one line a row, without rules around it.
 * @param width columns of the terminal; flexible columns are shortened to fit. Undefined: nothing is shortened, as a pipe wants it.
 */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const clean = rows.map((row) => row.map(oneLine));
  const widths = columns.map((column, j) =>
    Math.max(textWidth(column.header), ...clean.map((row) => textWidth(row[j] ?? ''))),
  );
  if (width !== undefined) shrink(columns, widths, width);
  const line = (cells: readonly string[]) =>
    columns
      .map((column, j) => padded(cells[j] ?? '', widths[j] ?? 0, column.align ?? 'left'))
      .join(gap)
      .trimEnd();
  return [line(columns.map(({ header }) => header)), ...clean.map(line)].join('\n');
}

/** Takes what is too much from the widest flexible column, one terminal column at a time. */
function shrink(columns: readonly TableColumn[], widths: number[], width: number): void {
  const total = () => widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1);
  for (let excess = total() - width; excess > 0; excess--) {
    let widest = -1;
    for (let j = 0; j < columns.length; j++) {
      if (columns[j]?.flexible !== true || (widths[j] ?? 0) <= narrowest) continue;
      if (widest < 0 || (widths[j] ?? 0) > (widths[widest] ?? 0)) widest = j;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function padded(cell: string, width: number, align: 'left' | 'right'): string {
  const shown = truncate(cell, width);
  const padding = ' '.repeat(Math.max(0, width - textWidth(shown)));
  return align === 'right' ? padding + shown : shown + padding;
}

/** Titles come from data: a line break would tear the table, and an escape sequence would reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
