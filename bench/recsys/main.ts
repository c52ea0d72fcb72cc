/** `npm run bench:recsys [-- table …]`: our quality figures beside published ones. bench/README.md describes the tables. */
import { neighborTimes } from './neighbors.js';
import { ml1mRanking, ml100kRanking } from './ranking.js';
import { latestSmallRatings, ml100kRatings } from './ratings.js';

const tables: Readonly<Record<string, () => Promise<void>>> = {
  neighbors: neighborTimes,
  'ratings-latest-small': latestSmallRatings,
  'ratings-100k': ml100kRatings,
  'ranking-100k': ml100kRanking,
  'ranking-1m': ml1mRanking,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(tables, name));
if (unknown !== undefined) {
  process.stderr.write(`bench:recsys: no table ${unknown}; tables: ${Object.keys(tables).join(', ')}\n`);
  process.exitCode = 2;
} else {
  for (const name of wanted.length === 0 ? Object.keys(tables) : wanted) await tables[name]!();
}
