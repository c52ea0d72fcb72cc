/** What JSONL and CSV share: lines of text, some kilobytes at a time, that need nothing but what was written before. */
import type { NeighborBlock } from '../block.js';
import type { Encoder, Piece } from './format.js';

const pieceLength = 1 << 16;

/**
 * @param header before all lines
 * @param lines the text of row r of a block, whole lines
 */
export function lineEncoder(header: string, lines: (block: NeighborBlock, r: number) => string): Encoder {
  return {
    *begin(): Iterable<Piece> {
      if (header !== '') yield { file: 0, bytes: Buffer.from(header) };
    },
    *encode(block) {
      let text = '';
      for (let r = 0; r < block.size; r++) {
        text += lines(block, r);
        if (text.length < pieceLength) continue;
        yield { file: 0, bytes: Buffer.from(text) };
        text = '';
      }
      if (text !== '') yield { file: 0, bytes: Buffer.from(text) };
    },
    restore() {},
    *finish() {},
  };
}

/** A score in seven decimals: what a float32 of its size holds. */
export function scoreText(score: number): string {
  return String(Math.round(score * 1e7) / 1e7);
}
