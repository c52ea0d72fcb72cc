/** Pictures through SqueezeNet with sharp and onnxruntime-node, as one would write it: one picture after another. */
import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const side = 224;
const means = [104, 117, 123];

export async function squeezenetByHand(model: string) {
  const session = await InferenceSession.create(model);
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  // 256 values a channel, as float16.
  const tables = means.map((mean) => Uint16Array.from({ length: 256 }, (_, byte) => halfOf(byte - mean)));
  return {
    async embed(path: string): Promise<unknown> {
      const { data } = await sharp(await readFile(path))
        .resize(side, side, { fit: 'cover' })
        .flatten({ background: 'white' })
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const values = new Uint16Array(3 * side * side);
      for (let at = 0; at < side * side; at++) {
        for (let c = 0; c < 3; c++) values[c * side * side + at] = tables[c]![data[3 * at + 2 - c]!]!;
      }
      const answer = await session.run({ [input!]: new Tensor('float16', values, [1, 3, side, side]) });
      return answer[output!]!.data;
    },
    close: () => session.release(),
  };
}

/** Whole numbers up to 2,048 are exact in float16. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
