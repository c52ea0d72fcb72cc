/**
 * The embedding `image`: the items' pictures through an ONNX model, unit vectors for the cosine metric. Items without a picture that can
 * be read have no vector. What decodes pictures and runs models is loaded when there is work for it.
 */
import { invalidArgument, NighError } from '../../core/errors.js';
import { type ParamsOf, readParams, text } from '../../core/params.js';
import { holdsDataset } from '../../data/fetch/locate.js';
import type { Content, Embedder, Embedding } from '../embedding.js';
import type { PictureEncoder } from './picture-encoder.js';

const schema = {
  /**
   * `color-edges`, which comes with nigh and sees colors and edges only; `squeezenet`, which is fetched and knows what pictures show;
   * or the path of an .onnx file, relative to the recipe, with a card beside it (model-card.ts).
   */
  model: text({ default: 'color-edges' }),
};

export type ImageParams = ParamsOf<typeof schema>;

/** The name both of the model and for `nigh fetch`. */
const squeezenet = 'squeezenet';

export const image: Embedding<ImageParams> = {
  name: 'image',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readParams(schema, params, path),
  async fetches({ model }, surroundings) {
    return model !== squeezenet || (await holdsDataset(squeezenet, surroundings)) ? undefined : squeezenet;
  },
  async fit(dataset, { model }, context) {
    const { fitPictures } = await import('./fit-pictures.js');
    return fitPictures(dataset, model, context);
  },
  openEmbedder,
};

/** A picture → its vector, as the fit would have made it. The model is loaded at the first picture. */
async function openEmbedder(stored: Readonly<Record<string, unknown>>): Promise<Embedder> {
  const [{ PictureEncoder, readPictureModel }, { decodePicture, loadSharp }] = await Promise.all([
    import('./picture-encoder.js'),
    import('./preprocess.js'),
  ]);
  const model = readPictureModel(stored);
  let encoder: Promise<PictureEncoder> | undefined;
  let closed = false;
  const open = async () => {
    const opened = await PictureEncoder.open(model, 0);
    if (opened.dim === model.dim) return opened;
    await opened.close();
    throw new NighError('FORMAT', `The stored image model gives ${opened.dim} dimensions, not ${model.dim}.`);
  };
  return {
    dim: model.dim,
    async embed({ image: bytes }: Content, signal) {
      if (bytes === undefined) return undefined;
      if (!(bytes instanceof Uint8Array)) throw invalidArgument('image', 'the bytes of a picture', bytes);
      if (closed) throw new NighError('CLOSED', 'The embedder was closed.');
      const sharp = await loadSharp();
      const pixels = await decodePicture(sharp, bytes, model.plan.preprocessing).catch((cause: unknown) => {
        throw new NighError('INVALID_ARGUMENT', `image: ${(cause as Error).message}`, { cause });
      });
      if (signal?.aborted) throw new NighError('ABORTED', 'The operation was aborted.', { cause: signal.reason });
      encoder ??= open();
      const [vector] = await (await encoder).encode([pixels]);
      return vector;
    },
    async close() {
      closed = true;
      await (await encoder?.catch(() => undefined))?.close();
    },
  };
}
