/** The packed files of a generation that its spaces read: its models. */
import { join } from 'node:path';
import { NighError } from '../core/errors.js';
import { isPlainObject } from '../core/params.js';
import type { Manifest } from './generation.js';
import { readPacked } from './packed-file.js';

export interface GenerationFiles {
  /** @throws NighError NOT_FOUND, IO, TRUNCATED, CHECKSUM_MISMATCH, FORMAT where it holds no object, CONNECTION_LOST, DATABASE */
  readModel(name: string): Promise<Readonly<Record<string, unknown>>>;
}

/** Those in a directory, each compared with its stamp. */
export class DirectoryFiles implements GenerationFiles {
  readonly #directory: string;
  readonly #files: Manifest['files'];

  constructor(directory: string, { files }: Pick<Manifest, 'files'>) {
    this.#directory = directory;
    this.#files = files;
  }

  async readModel(name: string): Promise<Readonly<Record<string, unknown>>> {
    const stamp = this.#files[name];
    if (stamp === undefined) throw new NighError('FORMAT', `${this.#directory}: the manifest lists no ${name}.`);
    const path = join(this.#directory, name);
    const model = await readPacked(path, stamp);
    if (!isPlainObject(model)) throw new NighError('FORMAT', `${path}: expected an object.`);
    return model;
  }
}
