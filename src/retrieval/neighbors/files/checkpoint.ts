/**
 * Files that are written part by part, so that who was killed goes on where the last whole part ended.
 *
 *   <file>.partial   what is written so far, of each file
 *   <path>.progress  lines of JSON: what is being written; then one line a part, added after the part was flushed: how long each file is with it,
 *                    and the checksum of what it added; `{"finished":true}` once all is there
 *
 * To go on, every part is read and compared with its checksum; what stands behind the last good one is cut off. When all is there the files are
 * flushed and renamed, the first of them last.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { NighError } from '../../../core/errors.js';
import { isPlainObject } from '../../../core/params.js';
import { fileError } from '../../../data/file-error.js';
import { flush } from '../../packed-file.js';
import type { Piece } from './format.js';

const version = 1;

/** What is known of a part that is on disk. */
export interface Part {
  /** Rows up to its end. */
  readonly rows: number;
  /** Neighbours up to its end. */
  readonly neighbors: number;
  /** How long each file is with it. */
  readonly ends: readonly number[];
  /** Of what it added to each file, hexadecimal. */
  readonly sha256: readonly string[];
  /** The encoder's. */
  readonly state?: string | undefined;
}

/** How writing begins: with what was found. */
export interface Found {
  /** The parts that are there, checked. */
  readonly parts: readonly Part[];
  /** Everything was written already, and is in place now. */
  readonly finished: boolean;
  /** Something was there that is of another pass, or was not to be used. */
  readonly discarded: boolean;
}

export class PartialFiles {
  readonly #progress: FileHandle;
  readonly #files: readonly FileHandle[];
  readonly #paths: readonly string[];
  readonly #ends: number[];

  private constructor(paths: readonly string[], progress: FileHandle, files: readonly FileHandle[], ends: number[]) {
    this.#paths = paths;
    this.#progress = progress;
    this.#files = files;
    this.#ends = ends;
  }

  /**
   * Opens what is there of a pass, or begins.
   * @param paths of the files, at least one
   * @param fingerprint of the pass: what was begun under another is discarded
   * @throws NighError NOT_FOUND where the directory is missing, IO
   */
  static async open(
    paths: readonly string[],
    fingerprint: string,
    restart: boolean,
  ): Promise<{ readonly files: PartialFiles | undefined; readonly found: Found }> {
    const progress = progressPath(paths);
    const left = await readProgress(progress);
    const isSame = left?.fingerprint === fingerprint && !restart;
    if (left !== undefined && isSame && left.finished && (await moveIntoPlace(paths))) {
      return { files: undefined, found: { parts: left.parts, finished: true, discarded: false } };
    }
    const parts = left === undefined || !isSame || left.finished ? [] : await soundParts(paths, left.parts);
    const found = { parts, finished: false, discarded: left !== undefined && !isSame };
    if (parts.length === 0) return { files: await PartialFiles.#begin(paths, fingerprint), found };
    return { files: await PartialFiles.#goOn(paths, parts, left!.lineEnds[parts.length]!), found };
  }

  static async #begin(paths: readonly string[], fingerprint: string): Promise<PartialFiles> {
    // First, so that nothing of before can be taken for a part of this.
    await rm(progressPath(paths), { force: true });
    const files = await PartialFiles.#openAll(paths, 'w');
    await files.#append({ version, fingerprint });
    return files;
  }

  static async #goOn(paths: readonly string[], parts: readonly Part[], lineEnd: number): Promise<PartialFiles> {
    const { ends } = parts.at(-1)!;
    await truncate(progressPath(paths), lineEnd);
    for (const [f, path] of paths.entries()) await truncate(partial(path), ends[f]!);
    return PartialFiles.#openAll(paths, 'a', [...ends]);
  }

  static async #openAll(
    paths: readonly string[],
    flags: 'w' | 'a',
    ends: number[] = paths.map(() => 0),
  ): Promise<PartialFiles> {
    const opened: FileHandle[] = [];
    try {
      for (const path of [...paths.map(partial), progressPath(paths)]) opened.push(await open(path, flags));
    } catch (cause) {
      for (const file of opened) await file.close();
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT')
        throw new NighError('NOT_FOUND', `${dirname(paths[0]!)}: there is no such directory.`, { cause });
      throw new NighError('IO', `${paths[0]}: cannot be written: ${message}`, { cause });
    }
    return new PartialFiles(paths, opened.at(-1)!, opened.slice(0, -1), ends);
  }

  /** Appends a part; once this has resolved it is there whatever happens. @throws NighError IO, and what `pieces` throws */
  async add(pieces: Iterable<Piece>, part: Pick<Part, 'rows' | 'neighbors' | 'state'>): Promise<void> {
    const sha256 = await this.#write(pieces);
    await this.#append({ ...part, ends: this.#ends, sha256 });
  }

  /** Appends what stands at the end, and puts the files into place. @throws NighError IO */
  async finish(pieces: Iterable<Piece>): Promise<void> {
    await this.#write(pieces);
    await this.#append({ finished: true });
    await this.close();
    await moveIntoPlace(this.#paths);
  }

  async close(): Promise<void> {
    for (const file of [...this.#files, this.#progress]) await file.close();
  }

  async #write(pieces: Iterable<Piece>): Promise<string[]> {
    const hashes = this.#files.map(() => createHash('sha256'));
    try {
      for (const { file, bytes } of pieces) {
        hashes[file]!.update(bytes);
        for (let at = 0; at < bytes.length; ) at += (await this.#files[file]!.write(bytes, at)).bytesWritten;
        this.#ends[file] = this.#ends[file]! + bytes.length;
      }
      for (const file of this.#files) await file.datasync();
    } catch (cause) {
      throw fileError(this.#paths[0]!, cause);
    }
    return hashes.map((hash) => hash.digest('hex'));
  }

  async #append(line: object): Promise<void> {
    try {
      await this.#progress.appendFile(`${JSON.stringify(line)}\n`);
      await this.#progress.datasync();
    } catch (cause) {
      throw fileError(progressPath(this.#paths), cause);
    }
  }
}

interface Progress {
  readonly fingerprint: string;
  readonly parts: readonly Part[];
  /** Where line i ends in the file of progress. */
  readonly lineEnds: readonly number[];
  readonly finished: boolean;
}

/** What the file of progress says, as far as its lines are whole; undefined where there is none that can be used. @throws NighError IO */
async function readProgress(path: string): Promise<Progress | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(path, cause);
  }
  const parts: Part[] = [];
  const lineEnds: number[] = [];
  let fingerprint: string | undefined;
  let finished = false;
  let end = 0;
  // What stands behind the last line break is a line that was cut off.
  for (const line of text.split('\n').slice(0, -1)) {
    const value = parsed(line);
    if (!isPlainObject(value)) break;
    end += Buffer.byteLength(line) + 1;
    if (fingerprint === undefined) {
      if (value.version !== version || typeof value.fingerprint !== 'string')
        return { fingerprint: '', parts, lineEnds, finished };
      fingerprint = value.fingerprint;
    } else if (value.finished === true) finished = true;
    else if (isPart(value)) parts.push(value);
    else break;
    lineEnds.push(end);
  }
  return { fingerprint: fingerprint ?? '', parts, lineEnds, finished };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that is none says nothing: the parts before it stand.
    return undefined;
  }
}

function isPart(value: Record<string, unknown>): value is Record<string, unknown> & Part {
  const { rows, neighbors, ends, sha256, state } = value;
  const isCount = (count: unknown) => Number.isSafeInteger(count) && (count as number) >= 0;
  return (
    isCount(rows) &&
    isCount(neighbors) &&
    Array.isArray(ends) &&
    ends.every(isCount) &&
    Array.isArray(sha256) &&
    sha256.length === ends.length &&
    (state === undefined || typeof state === 'string')
  );
}

/** The first parts whose bytes are what was written. @throws NighError IO */
async function soundParts(paths: readonly string[], parts: readonly Part[]): Promise<readonly Part[]> {
  const files: FileHandle[] = [];
  try {
    for (const path of paths) files.push(await open(partial(path), 'r'));
    const begins = paths.map(() => 0);
    for (const [p, { ends, sha256 }] of parts.entries()) {
      if (ends.length !== paths.length) return parts.slice(0, p);
      for (const [f, file] of files.entries()) {
        if ((await digestOf(file, begins[f]!, ends[f]!)) !== sha256[f]) return parts.slice(0, p);
        begins[f] = ends[f]!;
      }
    }
    return parts;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(paths[0]!, cause);
  } finally {
    for (const file of files) await file.close();
  }
}

/** Of the bytes from `begin` to `end`; of fewer where the file is shorter. */
async function digestOf(file: FileHandle, begin: number, end: number): Promise<string> {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(1 << 20);
  for (let at = begin; at < end; ) {
    const { bytesRead } = await file.read(block, 0, Math.min(block.length, end - at), at);
    if (bytesRead === 0) break;
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest('hex');
}

/** Renames what is still partial, the first file last; false where a file is missing altogether. @throws NighError IO */
async function moveIntoPlace(paths: readonly string[]): Promise<boolean> {
  try {
    for (const path of [...paths.slice(1), paths[0]!]) {
      if (await exists(partial(path))) await rename(partial(path), path);
      else if (!(await exists(path))) return false;
    }
    await flush(dirname(resolve(paths[0]!)));
    await rm(progressPath(paths), { force: true });
    return true;
  } catch (cause) {
    throw fileError(paths[0]!, cause);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw cause;
  }
}

function partial(path: string): string {
  return `${path}.partial`;
}

function progressPath(paths: readonly string[]): string {
  return `${paths[0]}.progress`;
}
