/** What a command gives: data on stdout (a table for people, one JSON document for machines), everything else on stderr. */
import { renderTable, type TableColumn } from './table.js';

/** Writes a value as one JSON document: indented on a terminal, on one line elsewhere. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, process.stdout.isTTY === true ? 2 : undefined)}\n`);
}

export function printTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): void {
  const width = process.stdout.isTTY === true ? process.stdout.columns : undefined;
  process.stdout.write(`${renderTable(columns, rows, width)}\n`);
}

/** A line of data for people. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A message: never mixed into the data. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * A reader that has seen enough closes the pipe (`nigh similar … | head -3`); that is no failure. On stderr nobody is left to be told, and the
 * work goes on.
 */
export function expectClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
