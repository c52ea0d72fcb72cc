/** The targets filled in, as a text table, as Markdown and as HTML; what was missed stands out. */
import type { BenchmarkResult } from 'nigh/evaluation';
import { readTargets, type TargetRow, targetRows } from './targets.js';
import { textTable } from './text-table.js';

const heading = ['', 'target', 'ours', 'peer in the same run', ''];

/** Of the datasets that were measured; empty where there is a target for none of them. */
export function targetsTable(result: BenchmarkResult): string {
  const all = targetRows(result, readTargets());
  const measured = new Set(all.filter(({ verdict }) => verdict !== 'not measured').map(({ dataset }) => dataset));
  const rows = all.filter(({ dataset }) => measured.has(dataset));
  if (rows.length === 0) return '';
  const cells = rows.map(({ dataset, what, wanted, ours, peer, verdict }) => [
    `${dataset}: ${what}`,
    ...[wanted, ours, peer, verdict === 'missed' ? 'MISSED' : verdict],
  ]);
  return `Targets: ${summary(rows)}\n${textTable(heading, cells)}`;
}

/** All of them, as bench/results keeps it. */
export function targetsMarkdown(result: BenchmarkResult): string {
  const targets = readTargets();
  const rows = targetRows(result, targets);
  const { machine, nigh, createdAt, grid } = result;
  const commits = [...new Set(result.datasets.map(({ commit }) => commit ?? nigh.commit ?? 'unknown'))].join(', ');
  return `# Targets

${summary(rows)} Measured at ${createdAt.slice(0, 16)} with the grid \`${grid}\` on ${machine.cpu}, ${machine.cores} cores, ${machine.simd}, Node ${machine.node};
commit ${commits}. Made of [ann.json](ann.json) and [targets.json](../targets.json) by \`npm run bench -- pictures\`; what lies beyond a target stands
behind it in parentheses. CPU-s is the time of the processor, which says more of a build than the clock where others used the cores.

${markdownRows(rows)}

Measured by other commands, not by this run:

${targets.elsewhere.map(({ what, command }) => `- ${what}: \`npm run bench -- ${command}\``).join('\n')}
`;
}

export function targetsHtml(result: BenchmarkResult, asHtml: (text: string) => string): string {
  const rows = targetRows(result, readTargets());
  const line = ({ dataset, what, wanted, ours, peer, verdict }: TargetRow) =>
    `<tr class="${verdict.replace(' ', '-')}">${[dataset, what, wanted, ours, peer, verdict].map((cell) => `<td>${asHtml(cell)}</td>`).join('')}</tr>`;
  return `<h2>Targets</h2>
<p>${asHtml(summary(rows))}</p>
<table class="targets"><tr><th>dataset</th><th>figure</th><th>target</th><th>ours</th><th>peer in the same run</th><th></th></tr>
${rows.map(line).join('\n')}</table>`;
}

function markdownRows(rows: readonly TargetRow[]): string {
  const lines = rows.map(({ dataset, what, wanted, ours, peer, verdict }) => {
    const cells = [dataset, what, wanted, ours, peer, verdict];
    return `| ${(verdict === 'missed' ? cells.map((cell) => `**${cell}**`) : cells).join(' | ')} |`;
  });
  return ['| dataset | figure | target | ours | peer in the same run | |', '|---|---|---|---|---|---|', ...lines].join(
    '\n',
  );
}

function summary(rows: readonly TargetRow[]): string {
  const count = (wanted: TargetRow['verdict']) => rows.filter(({ verdict }) => verdict === wanted).length;
  const rest = count('not measured');
  return `${count('reached')} reached, ${count('missed')} missed${rest === 0 ? '' : `, ${rest} not measured`}.`;
}
