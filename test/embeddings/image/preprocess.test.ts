import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { PictureModelPlan, Preprocessing } from '../../../src/embeddings/image/model-card.js';
import { decodePicture, InputWriter } from '../../../src/embeddings/image/preprocess.js';
import { float16Bits } from '../../../src/embeddings/onnx/float16.js';
import { nighError } from '../../data/support/expect-error.js';
import { seeded } from '../support.js';
import { plain, scene } from './pictures.js';

const rgb: Preprocessing = {
  layout: 'nchw',
  height: 4,
  width: 4,
  channels: 'rgb',
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  fit: 'cover',
  crop: 1,
};

const decode = (bytes: Uint8Array, change: Partial<Preprocessing> = {}) =>
  decodePicture(sharp, bytes, { ...rgb, ...change });
const pixel = (pixels: Uint8Array, width: number, x: number, y: number) => [
  ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
const svg = (inside: string, width = 8, height = 8) =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 8 8">${inside}</svg>`,
  );

describe('decoding', () => {
  it('turns a photograph as EXIF says', async () => {
    const side = { height: 48, width: 64, fit: 'fill' } as const;
    const upright = await scene(256, 192).jpeg({ quality: 95 }).toBuffer();
    // Orientation 6: to be shown, it has to be turned by 90° clockwise; so it is stored turned back.
    const stored = await scene(256, 192).rotate(270).toBuffer();
    const turned = await sharp(stored).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    expect((await sharp(turned).metadata()).width).toBe(192);
    const [expected, actual] = await Promise.all([decode(upright, side), decode(turned, side)]);
    const differences = expected.map((value, i) => Math.abs(value - actual[i]!));
    expect(Math.max(...differences)).toBeLessThan(24);
    expect(differences.reduce((sum, value) => sum + value) / differences.length).toBeLessThan(1);
  });

  it('puts what is transparent on white', async () => {
    const pixels = await decode(
      svg('<rect width="4" height="8" fill="#f00"/><rect x="4" width="4" height="8" fill="#00f" opacity="0.5"/>'),
    );
    expect(pixel(pixels, 4, 0, 0)).toEqual([255, 0, 0]);
    const [red, green, blue] = pixel(pixels, 4, 3, 3);
    for (const half of [red, green]) expect(Math.abs(half! - 128)).toBeLessThanOrEqual(2);
    expect(blue).toBe(255);
    expect(pixel(await decode(svg('')), 4, 2, 2)).toEqual([255, 255, 255]);
  });

  it('renders an SVG at the size that is needed', async () => {
    // A line of 1/8 of a picture that is said to be 8 pixels wide: enlarged from these it would be smeared.
    const pixels = await decode(
      svg('<rect width="8" height="8" fill="#fff"/><rect x="3.5" width="1" height="8" fill="#000"/>'),
      {
        width: 256,
        height: 256,
      },
    );
    const row = Array.from({ length: 256 }, (_, x) => pixel(pixels, 256, x, 128)[0]!);
    expect(row.filter((value) => value > 8 && value < 247).length).toBeLessThanOrEqual(4);
    expect(row.filter((value) => value <= 8).length).toBeGreaterThanOrEqual(30);
  });

  it.each([
    ['gray', plain('#808080').greyscale().toColourspace('b-w').png()],
    ['16 bits', plain('#808080').toColourspace('rgb16').png()],
    ['a palette', plain('#808080').png({ palette: true })],
    ['CMYK', plain('#808080').toColourspace('cmyk').jpeg({ quality: 100 })],
    ['WebP', plain('#808080').webp({ lossless: true })],
  ])('gives three channels of eight bits from %s', async (_, picture) => {
    const pixels = await decode(await picture.toBuffer());
    expect(pixels).toHaveLength(48);
    for (const value of pixels) expect(Math.abs(value - 128)).toBeLessThanOrEqual(16);
  });

  it('gives one channel where the model is gray', async () => {
    const pixels = await decode(await plain('#0f0').png().toBuffer(), { channels: 'gray', mean: [0], std: [1] });
    expect(pixels).toHaveLength(16);
    expect(new Set(pixels).size).toBe(1);
  });

  it('takes the first frame of an animation', async () => {
    const frames = await Promise.all([plain('#f00').png().toBuffer(), plain('#00f').png().toBuffer()]);
    const animation = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    expect((await sharp(animation).metadata()).pages).toBe(2);
    expect(pixel(await decode(animation), 4, 1, 1)).toEqual([255, 0, 0]);
  });

  it('covers, contains or fills, and crops the middle', async () => {
    const wide = svg(
      '<rect width="2" height="8" fill="#f00"/><rect x="2" width="4" height="8" fill="#0f0"/><rect x="6" width="2" height="8" fill="#00f"/>',
      16,
      8,
    );
    const bars = Buffer.from(wide.toString().replace('viewBox', 'preserveAspectRatio="none" viewBox'));
    const colors = async (change: Partial<Preprocessing>, y = 16) => {
      const pixels = await decode(bars, { width: 32, height: 32, ...change });
      return [1, 16, 30].map((x) =>
        pixel(pixels, 32, x, y)
          .map((value) => (value > 127 ? 1 : 0))
          .join(''),
      );
    };
    expect(await colors({ fit: 'fill' })).toEqual(['100', '010', '001']);
    expect(await colors({ fit: 'cover' })).toEqual(['010', '010', '010']);
    expect(await colors({ fit: 'contain' })).toEqual(['100', '010', '001']);
    expect(await colors({ fit: 'contain' }, 1)).toEqual(['111', '111', '111']);
    expect(await colors({ fit: 'fill', crop: 0.5 })).toEqual(['010', '010', '010']);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', Buffer.from('no picture')],
    ['an SVG of a billion pixels', svg('', 40_000, 40_000)],
  ])('refuses %s', async (_, bytes) => {
    await expect(decode(bytes)).rejects.toEqual(nighError('FORMAT', 'picture cannot be read'));
  });

  it('refuses a picture that ends too early, and one that unfolds into too much', async () => {
    const whole = await scene(64, 48).jpeg().toBuffer();
    await expect(decode(whole.subarray(0, whole.length / 2))).rejects.toEqual(nighError('FORMAT'));
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    expect(bomb.length).toBeLessThan(1 << 20);
    await expect(decode(bomb)).rejects.toEqual(nighError('FORMAT', 'exceeds pixel limit'));
  });
});

describe('input rows', () => {
  const pixels = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => i * 10);
  const plan = (change: Partial<Preprocessing>, inputType: 'float32' | 'float16' = 'float32'): PictureModelPlan => ({
    inputName: 'picture',
    inputType,
    batch: undefined,
    preprocessing: { ...rgb, height: 2, width: 3, ...change },
    tensor: 'same',
    pool: 'none',
  });

  it.each(['nchw', 'nhwc'] as const)('have every byte in its place: %s', (layout) => {
    for (const channels of ['rgb', 'bgr'] as const) {
      const writer = new InputWriter(plan({ layout, channels, scale: 0.5, mean: [1, 2, 3], std: [2, 4, 8] }));
      const rows = writer.rows(2);
      writer.write(pixels, rows, 1);
      expect([...rows.subarray(0, 18)]).toEqual(new Array(18).fill(0));
      for (let y = 0; y < 2; y++) {
        for (let x = 0; x < 3; x++) {
          for (let c = 0; c < 3; c++) {
            const byte = pixels[(y * 3 + x) * 3 + (channels === 'rgb' ? c : 2 - c)]!;
            const at = layout === 'nchw' ? (c * 2 + y) * 3 + x : (y * 3 + x) * 3 + c;
            expect(rows[18 + at]).toBe(Math.fround((byte * 0.5 - [1, 2, 3][c]!) / [2, 4, 8][c]!));
          }
        }
      }
      expect(writer.dims(2)).toEqual(layout === 'nchw' ? [2, 3, 2, 3] : [2, 2, 3, 3]);
    }
  });

  it('are the bits of float16 where the model wants them', () => {
    const [wide, half] = (['float32', 'float16'] as const).map((type) => {
      const writer = new InputWriter(plan({ mean: [104, 117, 123] }, type));
      const rows = writer.rows(1);
      writer.write(pixels, rows, 0);
      return rows;
    });
    expect(half).toBeInstanceOf(Uint16Array);
    expect([...half!].map(fromFloat16)).toEqual([...wide!]);
  });
});

/** The standard's definition. */
function fromFloat16(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

describe('float16', () => {
  it('keeps all 65,536 of them', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromFloat16(bits);
      if (Number.isNaN(value)) expect(fromFloat16(float16Bits(value))).toBeNaN();
      else if (float16Bits(value) !== bits) expect.fail(`${bits} became ${float16Bits(value)}`);
    }
  });

  it('takes the nearest, and the even one of two', () => {
    const random = seeded(3);
    for (let round = 0; round < 20_000; round++) {
      const lower = Math.floor(random() * 0x7bff);
      const [below, above] = [fromFloat16(lower), fromFloat16(lower + 1)];
      const share = round % 4 === 0 ? 0.5 : random();
      const value = Math.fround(below + share * (above - below));
      const [down, up] = [value - below, above - value];
      const expected = down < up || (down === up && lower % 2 === 0) ? lower : lower + 1;
      if (float16Bits(value) !== expected || float16Bits(-value) !== (expected | 0x8000)) expect.fail(`${value}`);
    }
    expect([65519.996, 65520, -65520].map(float16Bits)).toEqual([0x7bff, 0x7c00, 0xfc00]);
  });
});
