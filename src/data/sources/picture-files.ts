import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { describe, NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import { maxPictureBytes, type PictureSource } from '../picture-source.js';

/** Pictures in files of one folder and those below it. */
export class PictureFiles implements PictureSource {
  readonly #paths = new Map<string, string>();

  /** @param folder absolute */
  constructor(readonly folder: string) {}

  /**
   * @param path relative to the folder
   * @throws NighError INVALID_ARGUMENT for one that leads out of the folder: a dataset has no business with other files
   */
  add(itemId: string, path: string): void {
    const inside = relative(this.folder, resolve(this.folder, path));
    if (isAbsolute(path) || isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)) {
      throw new NighError(
        'INVALID_ARGUMENT',
        `The picture of item ${describe(itemId)}: expected a path within ${this.folder}, got ${describe(path)}.`,
      );
    }
    this.#paths.set(itemId, path);
  }

  async read(itemId: string): Promise<Uint8Array | undefined> {
    const path = this.#paths.get(itemId);
    if (path === undefined) return undefined;
    const file = resolve(this.folder, path);
    try {
      const { size } = await stat(file);
      if (size > maxPictureBytes) {
        throw new NighError(
          'CAPACITY',
          `${file}: expected a picture of at most ${maxPictureBytes} bytes, got ${size}.`,
        );
      }
      return await readFile(file);
    } catch (error) {
      throw fileError(file, error);
    }
  }
}
