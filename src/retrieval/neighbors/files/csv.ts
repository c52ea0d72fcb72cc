import { rememberedTexts } from '../id-texts.js';
import type { NeighborFormat } from './format.js';
import { lineEncoder, scoreText } from './text-lines.js';

/** One neighbour a line, after RFC 4180 but for its line ends: `id,rank,neighbor,score,space`. A row without neighbours has no line. */
export const csv: NeighborFormat = {
  name: 'csv',
  endings: ['.csv'],
  streams: true,
  files: (path) => [path],
  async encoder(pass) {
    const item = rememberedTexts((number) => field(pass.itemId(number)));
    return lineEncoder('id,rank,neighbor,score,space\n', (block, r) => {
      const { neighbors, scores, k, counts } = block;
      const id = field(block.id(r));
      const space = field(block.space(r));
      let lines = '';
      for (let rank = 0; rank < counts[r]!; rank++) {
        const at = r * k + rank;
        lines += `${id},${rank + 1},${item(neighbors[at]!)},${scoreText(scores[at]!)},${space}\n`;
      }
      return lines;
    });
  },
};

function field(text: string): string {
  return /[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text;
}
