/** How long trainings take: the models of the tables on ML-1M, and an iteration of iALS beside a plain NumPy program in the same run. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadDataset } from 'nigh';
import { als, fitEase, fitSvd, parseEase, parseSvd } from 'nigh/embeddings';
import type { CsrMatrix } from 'nigh/evaluation';
import { say } from '../report/say.js';
import { decimal, textTable, whole } from '../report/text-table.js';
import { asDataset } from './as-dataset.js';
import { goodbooks, ml1mUnion } from './datasets.js';

const reference = fileURLToPath(new URL('../../../bench/recsys/als_reference.py', import.meta.url));
const factors = 64;

export async function trainingTimes(): Promise<void> {
  const films = await ml1mUnion();
  if (films === undefined) process.stdout.write('ml-1m-cold: not in NIGH_DATA, left out.\n');
  else await published(films);
  const matrices: [string, CsrMatrix | undefined][] = [
    ['ML-1M (implicit union)', films],
    ['goodbooks-10k', await goodbooks()],
    ['npm dependencies', (await loadDataset({ source: 'npm-dependents' }, { baseDirectory: '.' })).interactions],
  ];
  const cells: string[][] = [];
  for (const [name, matrix] of matrices) {
    if (matrix === undefined) {
      process.stdout.write(`${name}: not in NIGH_DATA, left out.\n`);
      continue;
    }
    const ours = { cg: await secondsAnIteration(matrix, 3), exact: await secondsAnIteration(matrix, 0) };
    const theirs = await numpySeconds(matrix);
    say(`${name}: ${ours.cg.toFixed(3)} s, exact ${ours.exact.toFixed(3)} s, NumPy ${theirs?.toFixed(2)} s`);
    cells.push([
      name,
      `${whole(matrix.rows)} × ${whole(matrix.cols)}`,
      whole(matrix.entries),
      decimal(ours.cg, 3),
      decimal(ours.exact, 3),
      decimal(theirs, 2),
      decimal(theirs === undefined ? undefined : theirs / ours.exact, 1),
      decimal(theirs === undefined ? undefined : theirs / ours.cg, 1),
    ]);
  }
  process.stdout.write(
    `\nSeconds an iteration of iALS, ${factors} factors. NumPy solves every row exactly on one thread, as ours does on all with cgSteps 0; the default takes 3 steps of conjugate gradients. implicit (8 cores) needs 2.32 s on 358,868 × 292,385 with 17.5 M entries\n\n`,
  );
  process.stdout.write(
    textTable(['data', 'shape', 'entries', 'ours', 'ours, exact', 'NumPy', '× exact', '× default'], cells),
  );
}

/** Whole trainings beside the times of the TOIS tables. */
async function published(matrix: CsrMatrix): Promise<void> {
  const rows: [string, string, string, () => Promise<unknown>][] = [
    ['PureSVD, 64 factors', '.5', '2.84', () => fitSvd(matrix, parseSvd({ factors }))],
    ['EASE', '4', '5.07', () => fitEase(matrix, parseEase({}))],
    [
      'iALS, 64 factors, 15 iterations',
      '10',
      '1,023',
      () => als.fit(asDataset(matrix), als.parse({ factors, iterations: 15 }, 'als'), {}),
    ],
  ];
  const cells: string[][] = [];
  for (const [name, target, theirs, train] of rows) {
    const times = await repeated(3, train);
    cells.push([name, decimal(times[0]!, 2), decimal(times[1]!, 2), target, theirs]);
  }
  process.stdout.write(`\nTrainings on ML-1M (implicit union, ${whole(matrix.entries)} pairs)\n\n`);
  process.stdout.write(textTable(['model', 'fastest s', 'median s', 'target s', 'published s'], cells));
}

/** What further iterations add to a training: the faster of two, less what a training of one takes. */
async function secondsAnIteration(matrix: CsrMatrix, cgSteps: number): Promise<number> {
  const more = 4;
  const train = (iterations: number) =>
    als.fit(asDataset(matrix), als.parse({ factors, iterations, cgSteps }, 'als'), {});
  const [few] = await repeated(2, () => train(1));
  const [many] = await repeated(2, () => train(1 + more));
  return (many! - few!) / more;
}

/** Ascending. */
async function repeated(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const seconds: number[] = [];
  for (let at = 0; at < times; at++) {
    const began = performance.now();
    await work();
    seconds.push((performance.now() - began) / 1000);
  }
  return seconds.sort((a, b) => a - b);
}

/** The fastest of three iterations, of a large matrix the only one; undefined without Python and NumPy. */
async function numpySeconds({ rows, cols, entries, offsets, columns }: CsrMatrix): Promise<number | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'nigh-als-'));
  try {
    const file = join(folder, 'matrix');
    writeFileSync(file, new Uint8Array(Uint32Array.of(rows, cols, entries, 0).buffer));
    writeFileSync(file, new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength), { flag: 'a' });
    writeFileSync(file, new Uint8Array(columns.buffer, columns.byteOffset, columns.byteLength), { flag: 'a' });
    // Systems of 64 equations are solved fastest by one thread: several wait for each other most of the time.
    const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' };
    const iterations = rows > 100_000 ? '1' : '3';
    const { stdout } = await promisify(execFile)('python3', [reference, file, `${factors}`, iterations], { env });
    return Math.min(...(JSON.parse(stdout) as number[]));
  } catch (error) {
    say(`the NumPy reference cannot run: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
