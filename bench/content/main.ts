/**
 * What the embeddings of content are worth, on real data, and how fast they are beside what one would write without them:
 *
 *     npm run bench -- content                          every part
 *     npm run bench -- content examples titles          some parts
 *
 * What a part needs and does not find (NIGH_DATA, a download, a Python library) is said by name, and the part goes on without it.
 */
import { examples } from './examples.js';
import type { ContentPart } from './parts.js';
import { pictures } from './pictures.js';
import { pictureSpeed, textSpeed, titleSpeed } from './speed.js';
import { titles } from './titles.js';

const parts: Record<ContentPart, (repeats: number) => Promise<void>> = {
  examples,
  titles,
  pictures,
  'text-speed': textSpeed,
  'title-speed': titleSpeed,
  'picture-speed': pictureSpeed,
};

export async function content(wanted: readonly ContentPart[], repeats: number): Promise<void> {
  for (const part of wanted) await parts[part](repeats);
}
