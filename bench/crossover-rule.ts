/**
 * The rule that a run of `crossover` gives: exact search is worth it as long as it takes no more than `worthwhile` times as long as a graph at a recall,
 * counted in values (rows × dimensions, of which a row counts as at least 32).
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from 'nigh/evaluation';
import { packageFolder } from './algorithms/installed.js';
import type { CrossoverPoint } from './crossover.js';
import { decimal, textTable, whole } from './report/text-table.js';

const worthwhile = 2;
const wantedRecalls = [0.95, 0.99];
const leastDim = 32;

/** Where exact search passes what is worthwhile, of one metric and dimension. */
export interface Crossing {
  readonly metric: string;
  readonly dim: number;
  /** Values up to which exact search is worth it. */
  readonly values: number;
  /** Whether it is not worth it at the fewest rows already, or is still at the most: then `values` are those. */
  readonly bound: 'at most' | 'at least' | undefined;
}

export function crossings(points: readonly CrossoverPoint[], wanted: number): Crossing[] {
  const kinds = [...new Set(points.map(({ metric, dim }) => `${metric} ${dim}`))];
  return kinds.map((kind) => {
    const curve = points
      .filter(({ metric, dim }) => `${metric} ${dim}` === kind)
      .flatMap(({ rows, dim, graph }) => {
        const ratio = graph.find((each) => each.wanted === wanted)?.ratio;
        return ratio === undefined ? [] : [{ values: rows * Math.max(dim, leastDim), ratio }];
      })
      .sort((a, b) => a.values - b.values);
    const { metric, dim } = points.find((point) => `${point.metric} ${point.dim}` === kind)!;
    return { metric, dim, ...crossingOf(curve) };
  });
}

/** Between the last point below and the one after it, linear in both logarithms: a dip beyond the first crossing counts. */
function crossingOf(
  curve: readonly { readonly values: number; readonly ratio: number }[],
): Pick<Crossing, 'values' | 'bound'> {
  const below = curve.findLastIndex(({ ratio }) => ratio < worthwhile);
  const [left, right] = [curve[below], curve[below + 1]];
  if (left === undefined) return { values: right?.values ?? Number.NaN, bound: 'at most' };
  if (right === undefined) return { values: left.values, bound: 'at least' };
  const share = Math.log(worthwhile / left.ratio) / Math.log(right.ratio / left.ratio);
  return { values: left.values * (right.values / left.values) ** share, bound: undefined };
}

/** The limits as measured beside those of the code, and the ratios as a table for the decision that the code follows. */
export async function ruleText(points: readonly CrossoverPoint[]): Promise<string> {
  const { mostScannedValues } = await currentRule();
  const found = wantedRecalls.map((wanted) => crossings(points, wanted));
  const isIp = ({ metric }: { readonly metric: string }) => metric === 'ip';
  const rule = (each: { readonly metric: string }) => (isIp(each) ? mostScannedValues.ip : mostScannedValues.others);
  const rows = found[0]!.map((each, at) => [
    `${each.metric}, ${each.dim}`,
    ...found.map((crossing) => told(crossing[at]!)),
    whole(rule(each)),
    decimal(found.at(-1)![at]!.values / rule(each), 2),
  ]);
  const middle = (of: (crossing: Crossing) => boolean) =>
    found.map((crossing) => whole(median(crossing.filter(of).map(({ values }) => values))));
  rows.push(['ip, median', ...middle(isIp), whole(mostScannedValues.ip), '']);
  rows.push(['others, median', ...middle((each) => !isIp(each)), whole(mostScannedValues.others), '']);
  const heading = [
    'metric, dim',
    ...wantedRecalls.map((wanted) => `at ${wanted}`),
    'rule',
    `${wantedRecalls.at(-1)} / rule`,
  ];
  return `Values up to which exact search takes at most ${worthwhile} × the time of a graph, and the rule in src/retrieval/choose-index.ts
${textTable(heading, rows)}

For docs/decisions/0021-flat-or-graph.md, exact time over graph time at recall .95 / .99:

${ratioTable(points)}`;
}

function told({ values, bound }: Crossing): string {
  return `${bound ?? ''} ${whole(values)}`.trim();
}

function ratioTable(points: readonly CrossoverPoint[]): string {
  const kinds = [...new Set(points.map(({ metric, dim }) => `${metric}, ${dim}`))];
  const sizes = [...new Set(points.map(({ rows }) => rows))].sort((a, b) => a - b);
  const cell = (rows: number, kind: string) => {
    const point = points.find((each) => each.rows === rows && `${each.metric}, ${each.dim}` === kind);
    return point === undefined ? '' : point.graph.map(({ ratio }) => decimal(ratio)).join(' / ');
  };
  const lines = sizes.map((rows) => `| ${[whole(rows), ...kinds.map((kind) => cell(rows, kind))].join(' | ')} |`);
  return [`| rows | ${kinds.join(' | ')} |`, `|---|${kinds.map(() => '---|').join('')}`, ...lines, ''].join('\n');
}

/** The rule is no part of the public interface: it is read from the compiled package. */
async function currentRule() {
  const path = join(packageFolder('nigh'), 'dist', 'retrieval', 'choose-index.js');
  return (await import(pathToFileURL(path).href)) as typeof import('../dist/retrieval/choose-index.js');
}
