/** Pictures for tests, and datasets that have them. */
import sharp from 'sharp';
import type { Dataset } from '../../../src/data/dataset.js';
import { catalogueOf } from '../support.js';

/** A JPEG-friendly scene that is not symmetric in any way: a sky, a ground, a sun. */
export function scene(width: number, height: number) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3" width="${width}" height="${height}" preserveAspectRatio="none">
    <rect width="4" height="3" fill="#8cf"/><rect y="2" width="4" height="1" fill="#483"/><circle cx="1" cy="1" r=".5" fill="#fd0"/></svg>`;
  return sharp(Buffer.from(svg));
}

export function plain(color: string, size = 8) {
  return sharp({ create: { width: size, height: size, channels: 3, background: color } });
}

/** Items i0, i1, … with these pictures; undefined: none; an error: what reading throws. */
export function datasetOfPictures(
  pictures: readonly (Uint8Array | Error | undefined)[],
): Dataset & { reads: () => number } {
  let reads = 0;
  const dataset = catalogueOf(pictures.map((_, i) => `picture ${i}`));
  return {
    ...dataset,
    pictures: {
      async read(id) {
        reads++;
        const picture = pictures[Number(id.slice(1))];
        if (picture instanceof Error) throw picture;
        return picture;
      },
    },
    reads: () => reads,
  };
}
