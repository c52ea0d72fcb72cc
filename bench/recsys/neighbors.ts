/** How long the exact neighbours of a small rating matrix take: 1,000 users × 1,706 movies of seeded ratings, top-50. */
import { CsrMatrix, sparseKnn } from 'nigh/evaluation';
import { decimal, textTable } from '../report/text-table.js';

const users = 1_000;
const movies = 1_706;
/** As dense as MovieLens 100K. */
const density = 0.063;
const repeats = 15;

export async function neighborTimes(): Promise<void> {
  const ratings = seededRatings();
  const cells: string[][] = [];
  for (const [of, published] of [
    ['item', '16.6 (NumPy .077)'],
    ['user', '3.83 (NumPy .046)'],
  ] as const) {
    const times: number[] = [];
    const rows = of === 'item' ? ratings.transpose() : ratings;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const began = performance.now();
      await sparseKnn(rows, rows, { measure: 'cosine', k: 50, minSupport: 1, shrinkage: 0 });
      times.push((performance.now() - began) / 1000);
    }
    times.sort((a, b) => a - b);
    cells.push([`${of}s, cosine, top-50`, decimal(times[0]!, 4), decimal(times[repeats >> 1]!, 4), published]);
  }
  process.stdout.write(`\nNeighbours of ${users} users × ${movies} movies, ${ratings.entries} seeded ratings\n\n`);
  process.stdout.write(textTable(['', 'fastest s', 'median s', 'published s'], cells));
}

function seededRatings(): CsrMatrix {
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  for (let user = 0; user < users; user++) {
    for (let movie = 0; movie < movies; movie++) {
      if (next() >= density * 3 * (1 - movie / movies) ** 2) continue;
      rows.push(user);
      columns.push(movie);
      values.push(1 + Math.floor(next() * 5));
    }
  }
  return CsrMatrix.fromTriplets({ rows: users, cols: movies }, { rows, columns, values });
}
