/** How a file of an hnswlib index begins. Apart from what reads it, which loads much that other indexes do not need. */
import { open } from 'node:fs/promises';

export const containerMagic = 'nighlib\n';

/** Whether a file begins like one; a file that cannot be read is left to who opens it next. */
export async function isHnswlibContainer(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(8), 0, 8, 0);
      return bytesRead === 8 && buffer.toString('latin1') === containerMagic;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
