/** A result as one HTML file that needs nothing else: charts as SVG, tables, the machine. */
import type { BenchmarkResult, DatasetResult } from 'nigh/evaluation';
import { busyFrom } from '../machine.js';
import { buildChart, churnChart, filterChart, latencyChart, memoryChart, ratioChart, speedChart } from './charts.js';
import { svgOf } from './svg.js';
import { tables } from './tables.js';
import { targetsHtml } from './targets-table.js';

const style = `
:root { color-scheme: light; font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; }
body { max-width: 1240px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 3rem; border-top: 1px solid #ddd; padding-top: 1.5rem; font-size: 1.25rem; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.charts svg { max-width: 100%; height: auto; }
pre { overflow-x: auto; font: 12px/1.45 ui-monospace, monospace; background: #f7f7f7; padding: 1rem; border-radius: 6px; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
table.targets { border-collapse: collapse; } .targets td { border-top: 1px solid #eee; }
.missed td { background: #fde2dc; font-weight: 600; } .not-measured td { color: #888; }
.busy { background: #fff3d6; padding: .5rem 1rem; border-radius: 6px; }
`;

export async function htmlReport(result: BenchmarkResult): Promise<string> {
  const sections: string[] = [];
  for (const dataset of result.datasets) sections.push(await datasetSection(result, dataset));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nigh: recall against latency</title>
<style>${style}</style>
</head>
<body>
<h1>nigh: recall against latency</h1>
${machine(result)}
<p>Speeds are those of one query at a time on one thread, engines in turns in every round. Only ratios within one run are claimed; the
time of a build that stands as built earlier was measured at the time given, maybe beside other work. bench/README.md says how each figure is measured.</p>
<div class="charts">${await svgOf(ratioChart(result))}</div>
${targetsHtml(result, asHtml)}
${sections.join('\n')}
</body>
</html>
`;
}

function machine({ createdAt, machine: here, nigh, grid, skipped, failed = [] }: BenchmarkResult): string {
  const rows: [string, string][] = [
    ['run', `${createdAt}, grid ${grid}`],
    ['nigh', `${nigh.version}, ${nigh.commit ?? 'commit unknown'}`],
    [
      'machine',
      `${here.cpu}, ${here.cores} cores, ${Math.round(here.memoryBytes / 2 ** 30)} GiB, ${here.simd}, ${here.system}, Node ${here.node}`,
    ],
    ...skipped.map(({ key, why }): [string, string] => ['left out', `${key}: ${why}`]),
    ...failed.map(({ dataset, why }): [string, string] => ['failed', `${dataset}: ${why}`]),
  ];
  const cells = rows.map(([name, value]) => `<tr><th>${asHtml(name)}</th><td>${asHtml(value)}</td></tr>`);
  return `<table>${cells.join('')}</table>`;
}

async function datasetSection(result: BenchmarkResult, dataset: DatasetResult): Promise<string> {
  const charts = [
    latencyChart(dataset, result.k),
    speedChart(dataset, result.k),
    buildChart(dataset),
    memoryChart(dataset),
    filterChart(dataset),
    churnChart(dataset),
  ].filter((chart) => chart !== undefined);
  const svgs: string[] = [];
  for (const chart of charts) svgs.push(await svgOf(chart));
  const { name, about, sha256 } = dataset.dataset;
  const leftOut = (dataset.leftOut ?? []).map(
    ({ key, why }) => `<p class="busy">${asHtml(`${key} is left out: ${why}`)}</p>`,
  );
  const when =
    dataset.at === undefined ? '' : ` Measured at ${dataset.at.slice(0, 16)}, commit ${dataset.commit ?? 'unknown'}.`;
  const busy =
    dataset.othersCores < busyFrom
      ? ''
      : `<p class="busy">Other processes used ${dataset.othersCores.toFixed(2)} cores meanwhile: trust the ratios only.</p>`;
  return `<h2>${asHtml(name)}</h2>
<p>${asHtml(about)}. SHA-256 of the rows: <code>${sha256}</code>.${when}</p>
${busy}${leftOut.join('')}
<div class="charts">${svgs.join('\n')}</div>
<pre>${asHtml(tables(result, dataset))}</pre>
<table><tr><th>algorithm</th><th>version</th><th>parameters</th></tr>${dataset.engines
    .map(
      (each) =>
        `<tr><td>${asHtml(each.name)}</td><td>${asHtml(each.version)}</td><td>${asHtml(each.parameters)}</td></tr>`,
    )
    .join('')}</table>`;
}

function asHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
