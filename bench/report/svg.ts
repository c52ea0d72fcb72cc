import { importPeer } from '../algorithms/installed.js';

/** As much of the packages as is used here, so that this compiles where they are not installed. */
interface VegaLite {
  compile(spec: object): { readonly spec: object };
}
interface Vega {
  parse(spec: object): object;
  readonly View: new (runtime: object, options: { renderer: 'none' }) => { toSVG(): Promise<string>; finalize(): void };
}

/** A Vega-Lite specification as SVG, with what all our charts have in common. */
export async function svgOf(spec: object): Promise<string> {
  const { compile } = (await importPeer('vega-lite')) as VegaLite;
  const vega = (await importPeer('vega')) as Vega;
  const whole = compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 8,
    config: {
      font: 'system-ui, sans-serif',
      axis: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', gridColor: '#e6e6e6' },
      legend: { labelFontSize: 12, labelLimit: 260 },
      title: { fontSize: 14, anchor: 'start', fontWeight: 600 },
      view: { stroke: null },
      // Eight that people with the common forms of colour blindness tell apart (Okabe and Ito), and two more.
      range: {
        category: [
          '#d55e00',
          '#0072b2',
          '#009e73',
          '#cc79a7',
          '#56b4e9',
          '#e69f00',
          '#666666',
          '#b8a800',
          '#7b3f00',
          '#8c6bb1',
        ],
      },
    },
    ...spec,
  });
  const view = new vega.View(vega.parse(whole.spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
