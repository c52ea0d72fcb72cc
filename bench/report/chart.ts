import { importPeer } from '../algorithms/installed.js';
import type { ComparisonResult } from './result.js';

/** As much of the packages as is used here, so that this compiles where they are not installed. */
interface VegaLite {
  compile(spec: object): { readonly spec: object };
}
interface Vega {
  parse(spec: object): object;
  readonly View: new (runtime: object, options: { renderer: 'none' }) => { toSVG(): Promise<string>; finalize(): void };
}

/** Recall against queries a second, one line an engine, as SVG. The speeds are on a logarithmic scale. */
export async function recallChart({ dataset, engines, k }: ComparisonResult): Promise<string> {
  const values = engines.flatMap(({ name, curve }) =>
    curve.map(({ recall, qps, effort }) => ({ engine: name, recall, qps: qps.median, effort })),
  );
  const { compile } = (await importPeer('vega-lite')) as VegaLite;
  const vega = (await importPeer('vega')) as Vega;
  const { spec } = compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: `${dataset.name}: ${dataset.rows.toLocaleString('en')} × ${dataset.dim}, ${dataset.metric}`,
    width: 640,
    height: 420,
    background: 'white',
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'recall', type: 'quantitative', scale: { zero: false }, title: `recall@${k}` },
      y: { field: 'qps', type: 'quantitative', scale: { type: 'log' }, title: 'queries a second, one thread' },
      color: { field: 'engine', type: 'nominal', sort: null, title: null },
      order: { field: 'effort', type: 'quantitative' },
    },
  });
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
