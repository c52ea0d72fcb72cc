/** The targets of bench/targets.json beside what a run measured. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchmarkResult, type DatasetResult, type EngineResult, median } from 'nigh/evaluation';
import { repositoryFolder } from '../algorithms/installed.js';
import { exactNames } from '../ann/exact-names.js';
import { knownSums } from '../datasets/known-sums.js';
import { busyFrom } from '../machine.js';
import { decimal, whole } from './text-table.js';

export interface Target {
  readonly dataset: string;
  readonly figure: string;
  /** Of our algorithms, where it is not the one of the defaults. */
  readonly algorithm?: string | undefined;
  readonly recall?: number | undefined;
  readonly threads?: number | undefined;
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
  /** Beyond the target. */
  readonly moonshot?: number | undefined;
}

export interface Targets {
  readonly about: string;
  readonly targets: readonly Target[];
  readonly elsewhere: readonly { readonly what: string; readonly command: string }[];
}

export type Verdict = 'reached' | 'missed' | 'not measured';

export interface TargetRow {
  readonly dataset: string;
  readonly what: string;
  readonly wanted: string;
  readonly ours: string;
  readonly peer: string;
  readonly verdict: Verdict;
}

/** One figure of a run: the value that a target bounds, and how it and the peer's are told. */
interface Reading {
  readonly what: string;
  /** NaN where it was asked for and not reached; undefined where it was not measured. */
  readonly value: number | undefined;
  readonly ours: string;
  readonly peer?: string;
  /** Digits behind the point, of the value and its bound. */
  readonly digits: number;
}

interface Measured {
  readonly result: DatasetResult;
  readonly ours: EngineResult;
  readonly baseline: EngineResult | undefined;
  readonly target: Target;
}

export function readTargets(): Targets {
  return JSON.parse(readFileSync(join(repositoryFolder(), 'bench', 'targets.json'), 'utf8')) as Targets;
}

/** Every target with what the run says of it, in the order of the targets. */
export function targetRows({ datasets }: BenchmarkResult, { targets }: Targets): TargetRow[] {
  return targets.map((target) => {
    const { dataset, algorithm = 'nigh', atLeast, atMost, moonshot } = target;
    const read = figures[target.figure];
    if (read === undefined) throw new Error(`bench/targets.json: there is no figure ${target.figure}`);
    const result = datasets.find((each) => isWhole(each, dataset));
    const ours = result?.engines.find(({ key }) => key === algorithm);
    const baseline = result?.engines.find(({ key }) => key === result.baseline);
    const {
      what,
      value,
      ours: told,
      peer = '–',
      digits,
    } = read(target, result && ours && { result, ours, baseline, target });
    const bound = (sign: string, limit: number) => `${sign} ${limit >= 1000 ? whole(limit) : decimal(limit, digits)}`;
    return {
      dataset,
      what,
      wanted:
        (atLeast === undefined ? bound('≤', atMost!) : bound('≥', atLeast)) +
        (moonshot === undefined ? '' : ` (${decimal(moonshot, digits)})`),
      ours: value === undefined ? '–' : told,
      peer: value === undefined ? '–' : peer,
      verdict:
        value === undefined
          ? 'not measured'
          : (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost)
            ? 'reached'
            : 'missed',
    };
  });
}

/** A target is of all rows of a dataset: some of them would be another. */
function isWhole({ dataset: { name, sha256 } }: DatasetResult, wanted: string): boolean {
  return name === wanted && (knownSums[name]?.base ?? sha256) === sha256;
}

type Figure = (target: Target, measured: Measured | undefined) => Reading;

const figures: Readonly<Record<string, Figure>> = {
  speed({ recall = 0 }, measured) {
    const at = (engine: EngineResult | undefined) => engine?.atRecall.find((each) => each.recall === recall);
    const [own, other] = [at(measured?.ours), at(measured?.baseline)];
    const told =
      own?.ratio == null ? 'not reached by both' : `${decimal(own.ratio.median, 2)} ×, ${whole(own.qps?.median)}/s`;
    return {
      what: `queries/s at recall ${recall}, × ${measured?.baseline?.name ?? 'hnswlib-node'}`,
      value: measured && (own?.ratio?.median ?? Number.NaN),
      ...{ ours: told, peer: `${whole(other?.qps?.median)}/s`, digits: 0 },
    };
  },
  bestRecall(_, measured) {
    const best = (engine: EngineResult | undefined) => engine && Math.max(...engine.curve.map(({ recall }) => recall));
    const value = best(measured?.ours);
    return {
      what: 'highest recall@10 of any effort',
      ...{ value, ours: decimal(value, 4), peer: decimal(best(measured?.baseline), 4), digits: 2 },
    };
  },
  buildSeconds({ threads, algorithm }, measured) {
    const build = measured?.ours.builds.find((each) => each.threads === threads);
    return {
      what: `build on ${threads} threads${(algorithm ?? 'nigh') === 'nigh' ? '' : `, ${algorithm}`}, s`,
      value: build?.seconds,
      ours: toldBuild(build),
      peer: toldBuild(measured?.baseline?.builds[0]),
      digits: 0,
    };
  },
  fileBytes(_, measured) {
    const value = measured?.ours.bytesPerVector;
    const peer = whole(measured?.baseline?.bytesPerVector);
    return { what: 'bytes a vector on disk', value, ours: whole(value), peer, digits: 0 };
  },
  mappedOpening(_, measured) {
    const value = measured?.ours.opening.mapped?.openMs ?? undefined;
    const peer = `${decimal(measured?.baseline?.opening.memory?.openMs)} (loading)`;
    return { what: 'opening, mapped, ms', value, ours: decimal(value), peer, digits: 0 };
  },
  asyncOverhead(_, measured) {
    const value = measured?.ours.nearest.asyncOverheadMicros ?? undefined;
    return { what: 'asynchronous search above the synchronous one, µs', value, ours: decimal(value), digits: 0 };
  },
  batchGain(_, measured) {
    const rate = (threads: number) => {
      const rounds = measured?.ours.nearest.batch.find((each) => each.threads === threads)?.rounds;
      return rounds && median(rounds);
    };
    const [one, two] = [rate(1), rate(2)];
    const value = one === undefined || two === undefined ? undefined : two / one;
    const ours = `${decimal(value, 2)} (${whole(one)} and ${whole(two)}/s)`;
    return { what: 'batch on 2 threads, × of 1', value, ours, digits: 1 };
  },
  exactSingle(_, measured) {
    const limit = measured?.result.exact?.limit ?? Number.NaN;
    const [own, other] = [exactSpeed(measured, exactNames.single), exactSpeed(measured, exactNames.peer)];
    return {
      what: 'exact, one query, × the limit of float32 reads',
      value: own && own / limit,
      ours: `${decimal(own && own / limit, 2)} (${whole(own)}/s)`,
      peer: `${decimal(other && other / limit, 2)} (${whole(other)}/s)`,
      digits: 0,
    };
  },
  exactBatch({ threads = 1 }, measured) {
    const value = exactSpeed(measured, exactNames.batch(threads));
    return { what: `exact, batch on ${threads} thread, queries/s`, value, ours: whole(value), digits: 0 };
  },
  exactBatchGain(_, measured) {
    const [one, two] = [1, 2].map((threads) => exactSpeed(measured, exactNames.batch(threads)));
    const value = one === undefined || two === undefined ? undefined : two / one;
    return {
      what: 'exact, batch on 2 threads, × of 1',
      value,
      ours: `${decimal(value, 2)} (${whole(two)}/s)`,
      digits: 1,
    };
  },
  filteredRecall(_, measured) {
    const least = (engine: EngineResult | undefined) =>
      engine?.filtered.length ? Math.min(...engine.filtered.map(({ recall }) => recall)) : undefined;
    const [value, other] = [least(measured?.ours), least(measured?.baseline)];
    const what = `recall@10 under filters of ${shares(measured)}, the least`;
    return { what, value, ours: decimal(value, 3), peer: decimal(other, 3), digits: 2 };
  },
  filteredShort(_, measured) {
    const sum = (engine: EngineResult | undefined) =>
      engine?.filtered.length ? engine.filtered.reduce((all, { short }) => all + short, 0) : undefined;
    const [value, other] = [sum(measured?.ours), sum(measured?.baseline)];
    const what = 'answers under those filters that are too short';
    return { what, value, ours: whole(value), peer: whole(other), digits: 0 };
  },
  filteredTime(_, measured) {
    const worst = measured && slowestFilter(measured);
    return {
      what: 'time under those filters, × the larger of twice the unfiltered and the exact scan of the allowed',
      value: worst?.ratio,
      ours: worst === undefined ? '–' : `${decimal(worst.ratio, 2)} (${decimal(worst.p50)} µs at ${worst.share})`,
      digits: 0,
    };
  },
  searchWhileInserting(_, measured) {
    const ratio = measured?.result.changes?.writing.ratio;
    const value = ratio && median(ratio);
    return { what: 'searches/s while rows are inserted, × of idle', value, ours: decimal(value, 2), digits: 1 };
  },
  refilledLoss(_, measured) {
    const refilled = measured?.result.changes?.refilled;
    const value = refilled && Math.max(...refilled.map((each) => each.fresh - each.refilled));
    const what = 'recall lost by deleting half and putting it in again, the most';
    return { what, value, ours: decimal(value, 4), digits: 2 };
  },
  heavyTail(_, measured) {
    // Where the raw graph of the peer finds less than .60.
    const lost = measured?.baseline?.curve.filter(({ recall }) => recall < 0.6).at(-1);
    const own = measured?.ours.curve.find(({ effort }) => lost !== undefined && effort >= lost.effort);
    // A curve ends where it is good enough: beyond that, ours is no worse.
    const value = lost && (own ?? measured?.ours.curve.at(-1))?.recall;
    return {
      what: 'recall@10 at the largest effort at which hnswlib-node finds less than .60',
      ...{ value, ours: `${decimal(value, 3)} at ${lost?.effort}`, peer: decimal(lost?.recall, 3), digits: 2 },
    };
  },
};

function exactSpeed(measured: Measured | undefined, name: string): number | undefined {
  return measured?.result.exact?.speeds.find(({ what }) => what === name)?.qps;
}

function toldBuild(build: EngineResult['builds'][number] | undefined): string {
  if (build === undefined) return '–';
  const { seconds, cpuSeconds, threads, othersCores, earlier, at } = build;
  const notes = [
    cpuSeconds == null ? '' : `${decimal(cpuSeconds, 0)} CPU-s`,
    threads === 1 ? '1 thread' : '',
    othersCores >= busyFrom ? `others used ${decimal(othersCores)} cores` : '',
    earlier ? `built ${at.slice(0, 16)}` : '',
  ].filter((note) => note !== '');
  return `${decimal(seconds)}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}

function shares(measured: Measured | undefined): string {
  return measured?.ours.filtered.map(({ share }) => String(share)).join(', ') || 'rows';
}

/** Of all shares the one whose time is largest beside what it may take. */
function slowestFilter({ result, ours }: Measured) {
  const scans = result.engines.find(({ engine }) => engine === 'nigh-flat')?.filtered;
  const unfiltered = ours.curve.find(({ effort }) => effort === ours.nearest.effort)?.p50;
  if (scans === undefined || unfiltered === undefined) return undefined;
  const ratios = ours.filtered.map(({ share, p50 }) => {
    const scan = scans.find((each) => each.share === share)?.p50 ?? 0;
    return { share, p50, ratio: p50 / Math.max(2 * unfiltered, scan) };
  });
  return ratios.sort((a, b) => b.ratio - a.ratio)[0];
}
