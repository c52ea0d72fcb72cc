/**
 * Recall against queries a second of the engines, on one dataset, in one process and run: builds first, then every engine in turn
 * at every effort, the whole round repeated so that the machine's drift falls on all of them alike; medians.
 *
 *     npm run bench -- glove-6b-100d [--queries 2000] [--rows n] [--repeats 5] [--json file]
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { FlatIndex, simd } from 'nigh/index';
import type { Built } from './algorithms/algorithm.js';
import { hnswlibNode } from './algorithms/hnswlib-node.js';
import { nighHnsw } from './algorithms/nigh-hnsw.js';
import { datasets } from './datasets/registry.js';
import { qpsAtRecall, recallByDistance } from './measures.js';

const k = 10;
const efforts = [10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768];
const wantedRecalls = [0.9, 0.95, 0.99];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    queries: { type: 'string', default: '2000' },
    rows: { type: 'string' },
    repeats: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const name = positionals[0] ?? 'glove-6b-100d';
const source = datasets.get(name);
if (source === undefined) {
  process.stderr.write(`unknown dataset ${name}; known: ${[...datasets.keys()].join(', ')}\n`);
  process.exit(2);
}
const repeats = Number(values.repeats);
const dataset = await source.load({
  queries: Number(values.queries),
  rows: values.rows === undefined ? undefined : Number(values.rows),
});
const { base, queries, metric } = dataset;
const say = (line: string) => process.stderr.write(`${line}\n`);
say(`${dataset.name}: ${base.rows} × ${base.dim}, ${metric}, ${queries.rows} queries. ${dataset.about}`);

const exact = await FlatIndex.build(base, { metric });
const truth = await exact.searchBatch(queries, k);

const algorithms = [nighHnsw({}), nighHnsw({ M: 16 }), hnswlibNode(16, 200)];
const engines: { name: string; built: Built; buildSeconds: number; fileBytes: number; points: Point[] }[] = [];
interface Point {
  readonly effort: number;
  recall: number;
  readonly seconds: number[];
}

for (const algorithm of algorithms) {
  const began = performance.now();
  const built = await algorithm.build(dataset);
  const buildSeconds = (performance.now() - began) / 1000;
  const fileBytes = await built.fileBytes();
  engines.push({ name: algorithm.name, built, buildSeconds, fileBytes, points: [] });
  say(`${algorithm.name}: built in ${buildSeconds.toFixed(1)} s, ${(fileBytes / base.rows).toFixed(0)} bytes a vector`);
}

const vectors = Array.from({ length: queries.rows }, (_, q) => queries.data.slice(q * base.dim, (q + 1) * base.dim));

// Recall of every effort first (also the warm-up), up to the first that is good enough; then the timed rounds.
for (const engine of engines) {
  for (const effort of efforts) {
    engine.built.setEffort(effort);
    const answers = vectors.map((vector) => engine.built.query(vector, k));
    const recall = recallByDistance(answers, truth, dataset, k);
    engine.points.push({ effort, recall, seconds: [] });
    if (recall >= 0.993) break;
  }
}
for (let round = 0; round < repeats; round++) {
  for (let step = 0; step < efforts.length; step++) {
    for (const engine of engines) {
      const point = engine.points[step];
      if (point === undefined) continue;
      engine.built.setEffort(point.effort);
      const began = performance.now();
      for (const vector of vectors) engine.built.query(vector, k);
      point.seconds.push((performance.now() - began) / 1000);
    }
  }
  say(`round ${round + 1} of ${repeats} done`);
}

const rows = engines.map((engine) => ({
  engine: engine.name,
  buildSeconds: engine.buildSeconds,
  bytesPerVector: engine.fileBytes / base.rows,
  curve: engine.points.map(({ effort, recall, seconds }) => ({
    effort,
    recall,
    qps: queries.rows / [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)]!,
  })),
}));
const baseline = rows.at(-1)!;
process.stdout.write(`\n${'engine'.padEnd(26)}${'build s'.padStart(9)}${'B/vector'.padStart(10)}`);
for (const wanted of wantedRecalls) process.stdout.write(`${`qps @${wanted}`.padStart(13)}${'ratio'.padStart(8)}`);
process.stdout.write('\n');
for (const row of rows) {
  process.stdout.write(
    `${row.engine.padEnd(26)}${row.buildSeconds.toFixed(1).padStart(9)}${row.bytesPerVector.toFixed(0).padStart(10)}`,
  );
  for (const wanted of wantedRecalls) {
    const qps = qpsAtRecall(row.curve, wanted);
    const ratio = qps / qpsAtRecall(baseline.curve, wanted);
    process.stdout.write(
      `${(Number.isNaN(qps) ? '–' : Math.round(qps).toLocaleString('en')).padStart(13)}${(Number.isNaN(ratio) ? '–' : `${ratio.toFixed(1)}×`).padStart(8)}`,
    );
  }
  process.stdout.write('\n');
}
if (values.json !== undefined) {
  const result = {
    dataset: {
      name: dataset.name,
      about: dataset.about,
      metric,
      rows: base.rows,
      dim: base.dim,
      queries: queries.rows,
    },
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, simd: simd().level, node: process.version },
    k,
    repeats,
    engines: rows,
  };
  await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
}
for (const { built } of engines) built.close();
exact.close();
