import { describe, expect, it } from 'vitest';
import { decodeModel, encodeModel } from '../../../src/embeddings/onnx/messages.js';
import { OnnxModel } from '../../../src/embeddings/onnx/model.js';
import { type Feed, OnnxSession } from '../../../src/embeddings/onnx/session.js';
import { nighError } from '../../data/support/expect-error.js';
import { temporaryDirectory } from '../../data/support/temporary-directory.js';
import { seeded } from '../support.js';
import { classifierModel, identityModel, model, valueInfo } from './tiny-models.js';

async function runOnce(bytes: Uint8Array, output: string, feeds: Record<string, Feed>) {
  const session = await OnnxSession.open(bytes, 'tiny.onnx', 1);
  try {
    return await session.run(feeds, output);
  } finally {
    await session.close();
  }
}

const picture = {
  type: 'float32',
  dims: [2, 3, 1, 2],
  data: Float32Array.from([1, 3, 5, 5, 7, 9, 0, 0, 1, 1, 2, 4]),
} as const;

describe('an ONNX model', () => {
  it('tells what it takes and gives, weights left out', () => {
    const { inputs, outputs } = OnnxModel.parse(classifierModel(1, 2), 'tiny.onnx');
    expect(inputs).toEqual([{ name: 'picture', type: 'float32', shape: [undefined, 3, 1, 2] }]);
    expect(outputs).toEqual(['names']);
  });

  it('answers with its own output', async () => {
    const { bytes, output } = OnnxModel.parse(classifierModel(1, 2), 'tiny.onnx').withOutput('names', 'none');
    const { dims, data } = await runOnce(bytes, output, { picture });
    expect(dims).toEqual([2, 2]);
    // Doubled means of the channels: 4 10 16 and 0 2 6; names: first + third, second + third.
    expect([...data]).toEqual([20, 26, 6, 8]);
  });

  it('answers with a tensor inside, and with its mean over what is behind the channels', async () => {
    const tiny = OnnxModel.parse(classifierModel(1, 2), 'tiny.onnx');
    const inner = tiny.withOutput('doubled', 'none');
    expect([...(await runOnce(inner.bytes, inner.output, { picture })).data]).toEqual(
      [...picture.data].map((x) => 2 * x),
    );
    const pooled = tiny.withOutput('doubled', 'mean');
    const { dims, data } = await runOnce(pooled.bytes, pooled.output, { picture });
    expect(dims).toEqual([2, 3, 1, 1]);
    expect([...data]).toEqual([4, 10, 16, 0, 2, 6]);
  });

  it('keeps what leads to the output, and drops the other nodes', () => {
    const tiny = OnnxModel.parse(classifierModel(1, 2), 'tiny.onnx');
    const kept = decodeModel(tiny.withOutput('doubled', 'mean').bytes).graph;
    expect(kept?.node?.map(({ opType }) => opType)).toEqual(['Add', 'Cast', 'GlobalAveragePool']);
    expect(kept?.output?.map(({ name }) => name)).toEqual(['nigh_pooled']);
    expect(kept?.initializer?.map(({ name }) => name)).toEqual(['weights']);
  });

  it('keeps every node where a subgraph may use any tensor', () => {
    const { graph } = decodeModel(classifierModel(1, 2));
    graph!.node!.push({
      opType: 'If',
      input: ['flat'],
      output: ['maybe'],
      attribute: [{ name: 'then_branch', g: Uint8Array.from([18, 1, 97]) }],
    });
    const all = OnnxModel.parse(encodeModel({ graph: graph! }), 'tiny.onnx').withOutput('doubled', 'none').bytes;
    expect(decodeModel(all).graph?.node).toHaveLength(graph!.node!.length + 1);
  });

  it('loses no field that the reader does not know', () => {
    const strange = Buffer.from([0xfa, 0x3f, 3, 1, 2, 3]); // field 1023, three bytes
    const { bytes } = OnnxModel.parse(Buffer.concat([strange, classifierModel(1, 2)]), 'tiny.onnx').withOutput(
      'names',
      'none',
    );
    expect(Buffer.from(bytes).includes(strange)).toBe(true);
  });

  it('gives float32 from float16', async () => {
    const { bytes, output } = OnnxModel.parse(identityModel(['N', 2], 'float16'), 'half.onnx').withOutput(
      'same',
      'none',
    );
    const half = { type: 'float16', dims: [1, 2], data: Uint16Array.from([0x3c00, 0xc100]) } as const;
    expect([...(await runOnce(bytes, output, { picture: half })).data]).toEqual([1, -2.5]);
  });

  it('refuses a tensor that is not there, and names one that is near', () => {
    const tiny = OnnxModel.parse(classifierModel(1, 2), 'tiny.onnx');
    expect(() => tiny.withOutput('doubledd', 'none')).toThrow(
      nighError('INVALID_ARGUMENT', 'tiny.onnx', 'mean "doubled"', 'Known: "names"'),
    );
    expect(() => tiny.input('pictures')).toThrow(nighError('INVALID_ARGUMENT', 'mean "picture"'));
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', Buffer.from('<html>404 not found</html>')],
    ['a cut one', classifierModel(1, 2).subarray(0, 60)],
  ])('is not %s', (_, bytes) => {
    expect(() => OnnxModel.parse(bytes, 'tiny.onnx')).toThrow(nighError('FORMAT', 'tiny.onnx: not an ONNX model'));
  });

  it('is refused with its weights in another file', () => {
    const { graph } = decodeModel(classifierModel(1, 2));
    const elsewhere = { ...graph!.initializer![0]!, rawData: new Uint8Array(), dataLocation: 1 };
    const bytes = model({ ...graph, initializer: [elsewhere] });
    expect(() => OnnxModel.parse(bytes, 'tiny.onnx')).toThrow(nighError('UNSUPPORTED', '"weights"', 'another file'));
  });

  it('is read from a file, or NOT_FOUND', async () => {
    const directory = await temporaryDirectory({ 'tiny.onnx': classifierModel(1, 2) });
    expect((await OnnxModel.read(`${directory}/tiny.onnx`)).outputs).toEqual(['names']);
    await expect(OnnxModel.read(`${directory}/other.onnx`)).rejects.toEqual(nighError('NOT_FOUND', 'other.onnx'));
  });
});

describe('a session', () => {
  it('refuses a model with an operator that nobody knows', async () => {
    const unknown = model({
      node: [{ opType: 'Teleport', input: ['picture'], output: ['same'] }],
      input: [valueInfo('picture', 'float32', [1])],
      output: [valueInfo('same', 'float32', [1])],
    });
    await expect(OnnxSession.open(unknown, 'tiny.onnx')).rejects.toEqual(
      nighError('FORMAT', 'tiny.onnx: onnxruntime cannot load', 'Teleport'),
    );
  });

  it('survives being fed what does not fit, and goes on', async () => {
    const { bytes, output } = OnnxModel.parse(classifierModel(1, 2), 'tiny.onnx').withOutput('names', 'none');
    const session = await OnnxSession.open(bytes, 'tiny.onnx', 1);
    const wrong = { ...picture, dims: [12] };
    await expect(session.run({ picture: wrong }, output)).rejects.toEqual(
      nighError('FORMAT', 'tiny.onnx: the model failed'),
    );
    await expect(session.run({ other: picture }, output)).rejects.toEqual(
      nighError('FORMAT', 'tiny.onnx: the model failed'),
    );
    expect((await session.run({ picture }, output)).dims).toEqual([2, 2]);
    await session.close();
    await expect(session.run({ picture }, output)).rejects.toEqual(nighError('CLOSED'));
  });

  it('rejects or answers, whatever bytes a model has', { timeout: 120_000 }, async () => {
    const honest = OnnxModel.parse(classifierModel(1, 2), 'tiny.onnx').withOutput('names', 'none');
    const random = seeded(7);
    for (let round = 0; round < 24; round++) {
      const bytes = Uint8Array.from(honest.bytes);
      for (let flip = 0; flip < 3; flip++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        await runOnce(bytes, honest.output, { picture });
      } catch (error) {
        expect(error).toEqual(nighError('FORMAT'));
      }
    }
  });
});
