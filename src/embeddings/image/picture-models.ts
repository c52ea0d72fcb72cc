/** The models that a recipe's `model` can name, and models in files. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import { fetchDataset } from '../../data/fetch/locate.js';
import { readJsonFile } from '../../data/read-json-file.js';
import type { FitContext } from '../embedding.js';
import { OnnxModel } from '../onnx/model.js';
import { colorEdgesModel, colorEdgesPlan } from './color-edges.js';
import { type ModelCard, parseModelCard, planPictureModel } from './model-card.js';
import type { PictureModel } from './picture-encoder.js';
import type { Sharp } from './preprocess.js';

/** SqueezeNet as it was trained: Caffe's channels and means. Its last features, before it names classes, are the vector. */
const squeezenetCard: ModelCard = parseModelCard(
  {
    input: { channels: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 1, 1] },
    output: { tensor: 'fire9/concat_1', pool: 'mean' },
  },
  'squeezenet',
);

const named: Readonly<Record<string, (context: FitContext) => Promise<PictureModel>>> = {
  'color-edges': async () => {
    const model = OnnxModel.parse(colorEdgesModel(), 'color-edges');
    return { ...model.withOutput(colorEdgesPlan.tensor, 'none'), plan: colorEdgesPlan, origin: 'color-edges' };
  },
  squeezenet: async ({ environment, signal }) => {
    const found = await fetchDataset('squeezenet', {
      ...(environment === undefined ? {} : { environment }),
      ...(signal === undefined ? {} : { signal }),
    });
    return modelWithCard(await OnnxModel.read(found.path), squeezenetCard, 'squeezenet');
  },
};

export const pictureModelNames: readonly string[] = Object.keys(named);

/**
 * @param name one of the names, or a path ending in `.onnx`, with its card beside it
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, NOT_FOUND, FORMAT, UNSUPPORTED, IO, and for a named one as fetchDataset
 */
export async function loadPictureModel(name: string, context: FitContext): Promise<PictureModel> {
  const make = Object.hasOwn(named, name) ? named[name] : undefined;
  if (make !== undefined) return make(context);
  if (!name.endsWith('.onnx')) {
    const known = pictureModelNames.map((each) => JSON.stringify(each)).join(', ');
    throw new NighError(
      'INVALID_ARGUMENT',
      `model: expected one of ${known}, or the path of an .onnx file, got ${JSON.stringify(name)}.${didYouMean(name, pictureModelNames)}`,
    );
  }
  const path = resolve(context.baseDirectory ?? '.', name);
  const model = await OnnxModel.read(path);
  return modelWithCard(model, await readCard(path), path);
}

function modelWithCard(model: OnnxModel, card: ModelCard, origin: string): PictureModel {
  const plan = planPictureModel(model, card);
  return { ...model.withOutput(plan.tensor, plan.pool), plan, origin };
}

async function readCard(modelPath: string): Promise<ModelCard> {
  const path = modelPath.replace(/\.onnx$/, '.json');
  const value = await readJsonFile(path).catch((cause: unknown) => {
    if (!(cause instanceof NighError) || cause.code !== 'NOT_FOUND') throw cause;
    throw new NighError(
      'NOT_FOUND',
      `${path}: there is no such file. It must say how a picture's bytes become the input of ${modelPath}, such as ` +
        '{"input": {"channels": "rgb", "scale": 0.00392156862745098, "mean": [0, 0, 0], "std": [1, 1, 1]}}.',
      { cause },
    );
  });
  try {
    return parseModelCard(value, '');
  } catch (cause) {
    if (!(cause instanceof NighError)) throw cause;
    throw new NighError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}

/** What a vector depends on besides the picture: model, preprocessing, and the libraries that decode. */
export function fingerprint({ bytes, output, plan }: PictureModel, sharp: Sharp): string {
  const { vips, rsvg } = sharp.versions as Readonly<Record<string, string>>;
  return createHash('sha256')
    .update(JSON.stringify({ output, plan, sharp: sharp.versions.sharp, vips, rsvg }))
    .update(bytes)
    .digest('hex');
}
