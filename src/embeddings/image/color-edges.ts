/**
 * The model `color-edges`, which comes with the package: colors and edges of a picture, as an ONNX graph made here. Nothing in it was
 * trained; it needs no download, and says more about how pictures look than about what they show.
 *
 *   Colors: Ottosson's Oklab (bottosson.github.io/posts/oklab, 2020), where equal distances look equally different; every pixel is
 *   divided softly among fixed anchor colors, as in soft-assignment codebooks (van Gemert et al., "Visual word ambiguity", PAMI 2010).
 *   Edges: histograms of gradient orientations (Dalal and Triggs, "Histograms of oriented gradients", CVPR 2005), the sign ignored,
 *   each orientation a rectified filter; cells are normalized by the energy around them.
 *   Both are square-rooted (Hellinger's kernel: Arandjelović and Zisserman, "Three things everyone should know", CVPR 2012).
 *
 * 1. [N, 3, side, side], sRGB in 0 … 1 → linear light → cone responses → Oklab: a 1×1 Conv on each side of a cube root.
 * 2. −|x − anchor|² / width, by one more 1×1 Conv over [x, |x|²] (what all anchors share cancels in the Softmax) → means on a grid and
 *    over the whole.
 * 3. Lightness → first derivatives by Sobel's filters → |cos θ · gx + sin θ · gy| for every orientation θ, less what an edge shows its
 *    neighbors → means per cell, at two scales → divided by the energy of the cells around.
 * 4. Every block to unit length, then its weight; all laid side by side.
 */
import { attributeType, elementType, encodeModel, type NodeProto, type TensorProto } from '../onnx/messages.js';
import type { PictureModelPlan } from './model-card.js';

const side = 96;

export const colorEdgesPlan: PictureModelPlan = {
  inputName: 'picture',
  inputType: 'float32',
  batch: undefined,
  preprocessing: {
    layout: 'nchw',
    height: side,
    width: side,
    channels: 'rgb',
    scale: 1 / 255,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    fit: 'contain',
    crop: 1,
  },
  tensor: 'vector',
  pool: 'none',
};

/** Anchors: grays, and hues at two strengths. */
const grays = [0, 0.25, 0.5, 0.75, 1];
const hues = 8;
const rings = [
  { chroma: 0.1, lightness: [0.4, 0.7, 0.9] },
  { chroma: 0.2, lightness: [0.55, 0.75] },
];
/** Softness of the colors' assignment, in squared Oklab distance. */
const colorWidth = 0.008;
const colorGrid = 3;
const orientations = 8;
const cell = 12;
const weights = { layout: 0.7, palette: 0.6, fine: 1, coarse: 0.8 };

/** Linear sRGB → cone responses, and their cube roots → Oklab, as published. */
const toCones = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const toOklab = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

/** The model as a file's bytes: the same on every machine. */
export function colorEdgesModel(): Uint8Array {
  const graph = new GraphWriter();
  const oklab = graph.oklab(colorEdgesPlan.inputName);
  const colors = graph.softColors(graph.means(oklab, 2));
  const lightness = graph.conv(oklab, pointwise([[1, 0, 0]]));
  const half = graph.means(lightness, 2);
  const gridCell = side / 2 / colorGrid;
  const blocks = [
    graph.block(graph.means(colors, gridCell), weights.layout),
    graph.block(graph.node('GlobalAveragePool', [colors]), weights.palette),
    graph.block(graph.orientedCells(lightness), weights.fine),
    graph.block(graph.orientedCells(half), weights.coarse),
  ];
  graph.node('Concat', blocks, { int: { axis: 1 } }, colorEdgesPlan.tensor);
  return encodeModel({
    irVersion: 8,
    producerName: 'nigh color-edges 1',
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'color-edges',
      node: graph.nodes,
      initializer: graph.constants,
      input: [value(colorEdgesPlan.inputName, [undefined, 3, side, side])],
      output: [value(colorEdgesPlan.tensor, [undefined, undefined])],
    },
  });
}

/** anchors × [L, a, b] */
function anchors(): number[][] {
  const turned = (h: number) => ((h + 0.5) / hues) * 2 * Math.PI;
  const colored = rings.flatMap(({ chroma, lightness }) =>
    lightness.flatMap((l) =>
      Array.from({ length: hues }, (_, h) => [l, chroma * Math.cos(turned(h)), chroma * Math.sin(turned(h))]),
    ),
  );
  return [...grays.map((l) => [l, 0, 0]), ...colored];
}

interface Attributes {
  readonly int?: Readonly<Record<string, number>>;
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly string?: Readonly<Record<string, string>>;
}

/** Writes nodes one after another; each gives its result a name, which the next take. */
class GraphWriter {
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [];

  node(
    opType: string,
    input: string[],
    { int = {}, ints = {}, string = {} }: Attributes = {},
    output = this.#name(),
  ): string {
    const attribute = [
      ...Object.entries(int).map(([name, i]) => ({ name, i, type: attributeType.int })),
      ...Object.entries(string).map(([name, text]) => ({ name, s: Buffer.from(text), type: attributeType.string })),
      ...Object.entries(ints).map(([name, list]) => ({ name, ints: [...list], type: attributeType.ints })),
    ];
    this.nodes.push({ opType, input, output: [output], name: output, attribute });
    return output;
  }

  constant(values: readonly number[], dims: readonly number[] = [], dataType: 1 | 7 = elementType.float32): string {
    const name = `c${this.constants.length}`;
    const bytes = Buffer.alloc(values.length * (dataType === elementType.float32 ? 4 : 8));
    for (const [at, number] of values.entries()) {
      if (dataType === elementType.float32) bytes.writeFloatLE(number, at * 4);
      else bytes.writeBigInt64LE(BigInt(number), at * 8);
    }
    this.constants.push({ name, dataType, dims: [...dims], rawData: bytes });
    return name;
  }

  /** @param kernels output channels × input channels × height × width, odd sides; the edge counts zeros outside */
  conv(input: string, kernels: readonly number[][][][], bias: readonly number[] = []): string {
    const [height, width] = [kernels[0]![0]!.length, kernels[0]![0]![0]!.length];
    const weight = this.constant(kernels.flat(3), [kernels.length, kernels[0]!.length, height, width]);
    const pads = [(height - 1) / 2, (width - 1) / 2, (height - 1) / 2, (width - 1) / 2];
    const given = bias.length === 0 ? [] : [this.constant(bias, [bias.length])];
    return this.node('Conv', [input, weight, ...given], { ints: { pads } });
  }

  oklab(srgb: string): string {
    const linear = this.node('Pow', [srgb, this.constant([2.2])]);
    const cones = this.conv(linear, pointwise(toCones));
    const roots = this.node('Pow', [cones, this.constant([1 / 3])]);
    return this.conv(roots, pointwise(toOklab));
  }

  softColors(oklab: string): string {
    const all = anchors();
    const near = all.map((anchor) => anchor.map((value) => (2 * value) / colorWidth));
    const far = all.map(([l = 0, a = 0, b = 0]) => -(l * l + a * a + b * b) / colorWidth);
    return this.node('Softmax', [this.conv(oklab, pointwise(near), far)], { int: { axis: 1 } });
  }

  means(input: string, size: number): string {
    return this.node('AveragePool', [input], { ints: { kernel_shape: [size, size], strides: [size, size] } });
  }

  /** Energy of each orientation in every cell, divided by that of all orientations in the 3 × 3 cells around. */
  orientedCells(lightness: string): string {
    const smooth = [1, 2, 1];
    const slope = [-1, 0, 1];
    const filters = Array.from({ length: orientations }, (_, o) => {
      const angle = (o / orientations) * Math.PI;
      return [smooth.map((_, y) => slope.map((_, x) => tilted(angle, slope[x]! * smooth[y]!, smooth[x]! * slope[y]!)))];
    });
    // Zeros outside would be an edge around every picture: its border is repeated instead.
    const pads = this.constant([0, 0, 1, 1, 0, 0, 1, 1], [8], elementType.int64);
    const padded = this.node('Pad', [lightness, pads], { string: { mode: 'edge' } });
    const weight = this.constant(filters.flat(3), [orientations, 1, 3, 3]);
    const strength = this.node('Abs', [this.node('Conv', [padded, weight])]);
    // A straight edge answers |cos| to every orientation: what the mean of all has is no orientation.
    const mean = this.node('ReduceMean', [strength], { ints: { axes: [1] } });
    const sharp = this.node('Relu', [this.node('Sub', [strength, mean])]);
    const cells = this.means(sharp, cell);
    const energy = this.node('ReduceSum', [cells, this.constant([1], [1], elementType.int64)], {
      int: { keepdims: 1 },
    });
    const around = this.node('AveragePool', [energy], {
      int: { count_include_pad: 0 },
      ints: { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] },
    });
    return this.node('Div', [cells, this.node('Add', [around, this.constant([0.02])])]);
  }

  /** Square roots, laid flat at unit length (all zero stays so), times the weight. */
  block(input: string, weight: number): string {
    const flat = this.node('Flatten', [this.node('Sqrt', [input])], { int: { axis: 1 } });
    const squares = this.node('ReduceSumSquare', [flat], { ints: { axes: [1] }, int: { keepdims: 1 } });
    const length = this.node('Sqrt', [this.node('Add', [squares, this.constant([1e-6])])]);
    return this.node('Mul', [this.node('Div', [flat, length]), this.constant([weight])]);
  }

  #name(): string {
    return `t${this.nodes.length}`;
  }
}

/** Sobel's two filters turned to an angle, scaled to a slope of 1 per unit of lightness. */
function tilted(angle: number, gx: number, gy: number): number {
  return (Math.cos(angle) * gx + Math.sin(angle) * gy) / 8;
}

function pointwise(matrix: readonly (readonly number[])[]): number[][][][] {
  return matrix.map((row) => row.map((value) => [[value]]));
}

function value(name: string, dims: readonly (number | undefined)[]) {
  const dim = dims.map((size, d) => (size === undefined ? { dimParam: `d${d}` } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: elementType.float32, shape: { dim } } } };
}
