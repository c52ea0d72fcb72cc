/** Small ONNX models made on the spot, whose right answers are known. */
import { attributeType, elementType, encodeModel, type ModelProto } from '../../../src/embeddings/onnx/messages.js';

type Dims = readonly (number | string)[];
export type ElementName = keyof typeof elementType;

export function valueInfo(name: string, type: ElementName, dims: Dims) {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementType[type], shape: { dim } } } };
}

export function floats(name: string, values: readonly number[], dims: readonly number[]) {
  const rawData = Buffer.from(Float32Array.from(values).buffer);
  return { name, dims: [...dims], dataType: elementType.float32, rawData };
}

export function model(graph: NonNullable<ModelProto['graph']>): Uint8Array {
  return encodeModel({ irVersion: 8, opsetImport: [{ domain: '', version: 13 }], graph: { name: 'tiny', ...graph } });
}

/** The picture itself: `picture` → `same` (Identity), and one node beside it that nothing needs. */
export function identityModel(dims: Dims, type: ElementName = 'float32'): Uint8Array {
  return model({
    node: [
      { opType: 'Neg', input: ['picture'], output: ['unused'] },
      { opType: 'Identity', input: ['picture'], output: ['same'] },
    ],
    input: [valueInfo('picture', type, dims)],
    output: [valueInfo('same', type, dims)],
  });
}

/** `picture` [N, 3, height, width] → `doubled` (inside) → `names` [N, 2]: what a classifier looks like. */
export function classifierModel(height: number, width: number, batch: number | string = 'N'): Uint8Array {
  return model({
    node: [
      { opType: 'Add', input: ['picture', 'picture'], output: ['doubled'] },
      { opType: 'GlobalAveragePool', input: ['doubled'], output: ['pooled'] },
      {
        opType: 'Flatten',
        input: ['pooled'],
        output: ['flat'],
        attribute: [{ name: 'axis', i: 1, type: attributeType.int }],
      },
      { opType: 'MatMul', input: ['flat', 'weights'], output: ['names'] },
    ],
    initializer: [floats('weights', [1, 0, 0, 1, 1, 1], [3, 2])],
    // Before IR version 4 weights were listed among the inputs too.
    input: [valueInfo('picture', 'float32', [batch, 3, height, width]), valueInfo('weights', 'float32', [3, 2])],
    output: [valueInfo('names', 'float32', [batch, 2])],
  });
}
