/**
 * What an ONNX model for pictures wants and gives: the file `<model>.json` beside `<model>.onnx`. Name, layout, size and element type
 * of the input are the model's own where the card is silent; how pixels become numbers is nowhere in a model, so the card must say it.
 *
 * ```json
 * {
 *   "input": { "channels": "rgb", "scale": 0.00392156862745098, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225] },
 *   "output": { "tensor": "/layer4/Relu_output_0", "pool": "mean" }
 * }
 * ```
 */
import { invalidArgument, NighError } from '../../core/errors.js';
import {
  choice,
  type Field,
  integer,
  joinPath,
  number,
  optional,
  type ParamsOf,
  readParams,
  text,
} from '../../core/params.js';
import type { OnnxModel, SpatialPool, TensorInfo } from '../onnx/model.js';

const inputSchema = {
  /** Name of the input tensor. Default: the model's only input. */
  name: optional(text()),
  /** Order of its dimensions. Default: seen by where the 3 channels (or 1) are. */
  layout: optional(choice(['nchw', 'nhwc'])),
  /** Height and width. Default: the model's; needed where the model leaves them free. */
  size: optional(heightAndWidth()),
  /** What the channels are, in their order. */
  channels: choice(['rgb', 'bgr', 'gray']),
  /** A byte x of channel c becomes (x · scale − mean[c]) / std[c]; mean and std are in the order of `channels`. */
  scale: number({ above: 0 }),
  mean: perChannel(number()),
  std: perChannel(number({ above: 0 })),
};

const resizeSchema = {
  /** `cover` fills the input and cuts off what is over, `contain` shows the whole picture on white, `fill` distorts it. */
  fit: choice(['cover', 'contain', 'fill'], { default: 'cover' }),
  /** The middle part of the width and height that is kept after resizing; 0.875 is 224 of 256. */
  crop: number({ above: 0, max: 1, default: 1 }),
};

const outputSchema = {
  /** The tensor whose values are the vector; any in the graph. Default: the model's only output. */
  tensor: optional(text()),
  /** `mean`: over everything behind the channels of [N, C, …]; `none`: all values in their order. */
  pool: choice(['none', 'mean'], { default: 'none' }),
};

const cardSchema = {
  input: nested(inputSchema),
  resize: { ...nested(resizeSchema), optional: true, fallback: readParams(resizeSchema, {}, '') },
  output: { ...nested(outputSchema), optional: true, fallback: readParams(outputSchema, {}, '') },
};

export type ModelCard = ParamsOf<typeof cardSchema>;

/** How the bytes of a picture become the numbers of an input row. Plain data: part of a stored model. */
export interface Preprocessing {
  readonly layout: 'nchw' | 'nhwc';
  readonly height: number;
  readonly width: number;
  readonly channels: 'rgb' | 'bgr' | 'gray';
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly fit: 'cover' | 'contain' | 'fill';
  readonly crop: number;
}

/** Model and card together. */
export interface PictureModelPlan {
  readonly inputName: string;
  readonly inputType: 'float32' | 'float16';
  /** Pictures that the model takes at once; undefined: any number. */
  readonly batch: number | undefined;
  readonly preprocessing: Preprocessing;
  readonly tensor: string;
  readonly pool: SpatialPool;
}

const planSchema = {
  inputName: text(),
  inputType: choice(['float32', 'float16']),
  batch: optional(integer({ min: 1 })),
  preprocessing: nested({
    layout: choice(['nchw', 'nhwc']),
    height: integer({ min: 1, max: 4096 }),
    width: integer({ min: 1, max: 4096 }),
    channels: inputSchema.channels,
    scale: inputSchema.scale,
    mean: inputSchema.mean,
    std: inputSchema.std,
    ...resizeSchema,
  }),
  tensor: text(),
  pool: outputSchema.pool,
};

/** Reads a plan that was stored with a space. @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function parseStoredPlan(value: unknown, path: string): PictureModelPlan {
  const plan = readParams(planSchema, value, path);
  requireChannels(plan.preprocessing, joinPath(path, 'preprocessing'));
  return plan;
}

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION with the path of the key */
export function parseModelCard(value: unknown, path: string): ModelCard {
  const card = readParams(cardSchema, value, path);
  requireChannels(card.input, joinPath(path, 'input'));
  return card;
}

function requireChannels(given: Pick<Preprocessing, 'channels' | 'mean' | 'std'>, path: string): void {
  const count = channelCount(given.channels);
  for (const key of ['mean', 'std'] as const) {
    if (given[key].length === count) continue;
    throw invalidArgument(joinPath(path, key), `${count} numbers for ${given.channels}`, given[key]);
  }
}

function channelCount(channels: Preprocessing['channels']): number {
  return channels === 'gray' ? 1 : 3;
}

/**
 * Fills in what the card leaves to the model, and checks one against the other.
 * @throws NighError INVALID_ARGUMENT where they contradict each other or both are silent, UNSUPPORTED for an element type
 */
export function planPictureModel(model: OnnxModel, { input: given, resize, output }: ModelCard): PictureModelPlan {
  const input = onlyInput(model, given.name);
  if (input.type !== 'float32' && input.type !== 'float16') {
    throw new NighError(
      'UNSUPPORTED',
      `${model.origin}: the input ${input.name} has element type ${input.type}; pictures are fed as float32 or float16.`,
    );
  }
  const { shape } = input;
  if (shape !== undefined && shape.length !== 4) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${model.origin}: the input ${input.name}: expected four dimensions (batch, channels, height, width), got ${shape.length}.`,
    );
  }
  const count = channelCount(given.channels);
  const layout = given.layout ?? layoutOf(shape, count);
  if (layout === undefined) throw silent(model, input, 'layout', '"nchw" or "nhwc"');
  const [batch, ...rest] = shape ?? [];
  const [channels, height, width] = layout === 'nchw' ? rest : [rest[2], rest[0], rest[1]];
  if (channels !== undefined && channels !== count) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${model.origin}: the input ${input.name} has ${channels} channels as ${layout}, but the card says ${given.channels}.`,
    );
  }
  const [givenHeight, givenWidth] = given.size ?? [];
  for (const [own, told] of [
    [height, givenHeight],
    [width, givenWidth],
  ]) {
    if (own === undefined || told === undefined || own === told) continue;
    throw invalidArgument(`${model.origin}: input.size`, `the model's own ${height} × ${width}`, told);
  }
  const size = { height: height ?? givenHeight, width: width ?? givenWidth };
  if (size.height === undefined || size.width === undefined) throw silent(model, input, 'size', '[height, width]');
  const { scale, mean, std } = given;
  return {
    inputName: input.name,
    inputType: input.type,
    batch,
    preprocessing: {
      layout,
      height: size.height,
      width: size.width,
      channels: given.channels,
      scale,
      mean,
      std,
      ...resize,
    },
    tensor: output.tensor ?? model.onlyOutput('output.tensor'),
    pool: output.pool,
  };
}

function onlyInput(model: OnnxModel, name: string | undefined): TensorInfo {
  if (name !== undefined) return model.input(name);
  const [input, second] = model.inputs;
  if (input !== undefined && second === undefined) return input;
  const names = model.inputs.map((each) => JSON.stringify(each.name)).join(', ');
  throw new NighError(
    'INVALID_ARGUMENT',
    `${model.origin}: expected a model with one input, the picture, got ${model.inputs.length}: ${names}.`,
  );
}

function layoutOf(shape: TensorInfo['shape'], channels: number): 'nchw' | 'nhwc' | undefined {
  const first = shape?.[1] === channels;
  const last = shape?.[3] === channels;
  if (first === last) return undefined;
  return first ? 'nchw' : 'nhwc';
}

function silent(model: OnnxModel, { name }: TensorInfo, key: string, expected: string): NighError {
  return new NighError(
    'INVALID_ARGUMENT',
    `${model.origin}: input.${key}: expected ${expected}: the model's input ${name} does not tell.`,
  );
}

function nested<S extends Readonly<Record<string, Field<unknown>>>>(schema: S): Field<ParamsOf<S>> {
  return { optional: false, read: (value, path) => readParams(schema, value, path) };
}

function perChannel(each: Field<number>): Field<readonly number[]> {
  return {
    optional: false,
    read: (value, path) => {
      if (!Array.isArray(value)) throw invalidArgument(path, 'an array of numbers, one a channel', value);
      return value.map((entry, c) => each.read(entry, `${path}[${c}]`));
    },
  };
}

function heightAndWidth(): Field<readonly [number, number]> {
  const inRange = (side: unknown) => Number.isSafeInteger(side) && (side as number) >= 1 && (side as number) <= 4096;
  return {
    optional: false,
    read: (value, path) => {
      if (!Array.isArray(value) || value.length !== 2 || !value.every(inRange)) {
        throw invalidArgument(path, '[height, width], each an integer from 1 to 4096', value);
      }
      return value as unknown as readonly [number, number];
    },
  };
}
