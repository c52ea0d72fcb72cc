/** Bytes of an image file → one row of a model's input. */
import type sharpFactory from 'sharp';
import { NighError } from '../../core/errors.js';
import { float16Bits } from '../onnx/float16.js';
import { packageMissing } from '../onnx/optional-package.js';
import type { PictureModelPlan, Preprocessing } from './model-card.js';

export type Sharp = typeof sharpFactory;

/** @throws NighError OPTIONAL_PACKAGE */
export async function loadSharp(): Promise<Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw packageMissing('sharp', 'Decoding pictures', cause);
  }
}

/** A picture with more pixels is refused before it is decoded: a small file can unfold into gigabytes. */
const maxPixels = 1 << 26;
const maxSecondsPerPicture = 30;

/**
 * Decodes a picture to interleaved bytes of the input's size: turned as EXIF says, sRGB, transparent parts on white, the first frame
 * of an animation. An SVG is rendered at the size that is needed, whatever its own.
 * @throws NighError FORMAT for what is no picture that can be read, or one too large
 */
export async function decodePicture(
  sharp: Sharp,
  bytes: Uint8Array,
  { height, width, channels, fit, crop }: Preprocessing,
): Promise<Uint8Array> {
  const expected = channels === 'gray' ? 1 : 3;
  const full = { height: Math.round(height / crop), width: Math.round(width / crop) };
  const middle = {
    left: Math.floor((full.width - width) / 2),
    top: Math.floor((full.height - height) / 2),
    width,
    height,
  };
  try {
    const resized = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', pages: 1 })
      .timeout({ seconds: maxSecondsPerPicture })
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .resize({ ...full, fit, background: '#ffffff' })
      .extract(middle);
    const colors = expected === 1 ? resized.greyscale().toColourspace('b-w') : resized.toColourspace('srgb');
    const { data, info } = await colors.removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels !== expected) throw new Error(`expected ${expected} channels, got ${info.channels}`);
    return data;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().split('\n')[0] : String(cause);
    throw new NighError('FORMAT', `The picture cannot be read: ${reason}.`, { cause });
  }
}

export type InputRow = Float32Array | Uint16Array;

/**
 * Writes decoded pictures into input rows. Every input value depends on one byte and its channel only, so all of them are computed
 * once: 256 a channel, as float32 or as the bits of float16.
 */
export class InputWriter {
  /** Values of one row. */
  readonly length: number;
  readonly #tables: InputRow[];
  readonly #plan: PictureModelPlan;

  constructor(plan: PictureModelPlan) {
    const { height, width, mean, std, scale } = plan.preprocessing;
    this.#plan = plan;
    this.length = height * width * mean.length;
    this.#tables = mean.map((center, c) => {
      const values = Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - center) / std[c]!);
      return plan.inputType === 'float32' ? values : Uint16Array.from(values, float16Bits);
    });
  }

  rows(count: number): InputRow {
    return this.#plan.inputType === 'float32'
      ? new Float32Array(count * this.length)
      : new Uint16Array(count * this.length);
  }

  /** @param pixels interleaved bytes, RGB or gray */
  write(pixels: Uint8Array, rows: InputRow, row: number): void {
    const { layout, channels } = this.#plan.preprocessing;
    const count = this.#tables.length;
    const plane = this.length / count;
    const [pixelStep, channelStep] = layout === 'nchw' ? [1, plane] : [count, 1];
    for (let c = 0; c < count; c++) {
      const table = this.#tables[c]!;
      let from = channels === 'bgr' ? 2 - c : c;
      let to = row * this.length + c * channelStep;
      for (let p = 0; p < plane; p++, from += count, to += pixelStep) rows[to] = table[pixels[from]!]!;
    }
  }

  /** The shape of so many rows. */
  dims(count: number): readonly number[] {
    const { layout, height, width } = this.#plan.preprocessing;
    const channels = this.#tables.length;
    return layout === 'nchw' ? [count, channels, height, width] : [count, height, width, channels];
  }
}
