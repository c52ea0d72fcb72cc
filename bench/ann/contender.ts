import type { Algorithm, AlgorithmSpec, Opened } from '../algorithms/algorithm.js';
import type { BuiltIndexes } from '../builds.js';

/** One effort of one engine. */
export interface Point {
  readonly effort: number;
  readonly recall1: number;
  readonly recall: number;
  readonly recall100: number | null;
  readonly visited: number | null;
  readonly distances: number | null;
  /** Queries that every round asks: all, or as many as fit the time of a point. */
  readonly queries: number;
  /** Queries a second, one a round. */
  readonly rounds: number[];
  /** Microseconds of every query of every round. */
  readonly micros: number[];
}

/** Searches that asked for a recall instead of an effort. */
export interface AskedPoint {
  readonly wanted: number;
  readonly recall: number;
  readonly rounds: number[];
}

/** An engine in a comparison. */
export interface Contender {
  readonly spec: AlgorithmSpec;
  readonly algorithm: Algorithm;
  readonly built: BuiltIndexes;
  readonly opened: Opened;
  readonly efforts: readonly number[];
  readonly curve: Point[];
  readonly asked: AskedPoint[];
}
