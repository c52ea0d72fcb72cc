/** `npm run bench:recsys [-- table …]`: our quality figures beside published ones. bench/README.md describes the tables. */
import { approximate } from './approximate.js';
import { artists } from './artists.js';
import { coldItemsRevealed, coldStart, coldUsers } from './cold-start.js';
import { foldInTimes } from './fold-in.js';
import { hitRates } from './hit-rates.js';
import { neighborTimes } from './neighbors.js';
import { ml1mRanking, ml100kRanking, tune1m, tune100k, tune100kLeaveOneOut } from './ranking.js';
import { latestSmall2018Ratings, latestSmallRatings, ml100kRatings } from './ratings.js';
import { retention } from './retention.js';
import { trainingTimes } from './training.js';

const tables: Readonly<Record<string, () => Promise<void>>> = {
  neighbors: neighborTimes,
  training: trainingTimes,
  'ratings-latest-small': latestSmallRatings,
  'ratings-2018': latestSmall2018Ratings,
  'ratings-100k': ml100kRatings,
  'hit-rates': hitRates,
  'ranking-100k': ml100kRanking,
  'ranking-1m': ml1mRanking,
  retention,
  approximate,
  artists,
  'cold-start': coldStart,
  'cold-items-revealed': coldItemsRevealed,
  'cold-users': coldUsers,
  'fold-in': foldInTimes,
};

/** What makes tuned.json; left out unless it is named, since it takes most of an hour. */
const searches: Readonly<Record<string, () => Promise<void>>> = {
  'tune-100k': tune100k,
  'tune-100k-leave-one-out': tune100kLeaveOneOut,
  'tune-1m': tune1m,
};

const wanted = process.argv.slice(2);
const known = { ...tables, ...searches };
const unknown = wanted.find((name) => !Object.hasOwn(known, name));
if (unknown !== undefined) {
  process.stderr.write(`bench:recsys: no table ${unknown}; tables: ${Object.keys(known).join(', ')}\n`);
  process.exitCode = 2;
} else {
  for (const name of wanted.length === 0 ? Object.keys(tables) : wanted) await known[name]!();
}
