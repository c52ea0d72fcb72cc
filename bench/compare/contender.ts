import type { Algorithm, Opened } from '../algorithms/algorithm.js';
import type { BuildRecord, BuiltIndex } from '../builds.js';

/** One effort of one engine, or one asked-for recall. */
export interface Point {
  readonly effort: number;
  readonly recall: number;
  /** Of all queries, one a round. */
  readonly seconds: number[];
}

/** An engine in a comparison. */
export interface Contender {
  readonly key: string;
  readonly algorithm: Algorithm;
  readonly built: BuiltIndex;
  /** Builds with other numbers of threads, of which only the figures are kept. */
  readonly otherBuilds: readonly BuildRecord[];
  readonly opened: Opened;
  readonly curve: Point[];
  /** Searches that asked for a recall: `effort` is that recall. */
  readonly asked: Point[];
}
