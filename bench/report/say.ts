/** Progress goes to stderr, results to stdout. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
