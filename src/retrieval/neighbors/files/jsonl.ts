import { rememberedTexts } from '../id-texts.js';
import type { NeighborFormat } from './format.js';
import { lineEncoder, scoreText } from './text-lines.js';

/** One row a line: `{"id":"a","space":"cf","neighbors":["b","c"],"scores":[0.9,0.8]}`. */
export const jsonl: NeighborFormat = {
  name: 'jsonl',
  endings: ['.jsonl', '.ndjson'],
  streams: true,
  files: (path) => [path],
  async encoder(pass) {
    const quoted = rememberedTexts((item) => JSON.stringify(pass.itemId(item)));
    return lineEncoder('', (block, r) => {
      const { neighbors, scores, k, counts } = block;
      let ids = '';
      let numbers = '';
      for (let at = r * k; at < r * k + counts[r]!; at++) {
        const comma = at === r * k ? '' : ',';
        ids += comma + quoted(neighbors[at]!);
        numbers += comma + scoreText(scores[at]!);
      }
      const id = JSON.stringify(block.id(r));
      return `{"id":${id},"space":${JSON.stringify(block.space(r))},"neighbors":[${ids}],"scores":[${numbers}]}\n`;
    });
  },
};
