/**
 * What two generations have in common lies on disk once: the same file under two names. Nothing of a generation is ever written to again, and a
 * file is there until its last name is removed, so neither can harm the other. Where the file system knows no hard links, files are copied.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NighError } from '../../core/errors.js';
import type { Manifest, Staging } from '../generation.js';
import { type FileStamp, flush, stampFile } from '../packed-file.js';

/** A generation with which the next may have files in common. */
export interface EarlierGeneration {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Codes of a file system, or of an end of it, that cannot link. */
const cannotLink: readonly unknown[] = ['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES'];

/**
 * Puts a finished file of one generation into the next. Its content is not read: `Staging.stampFiles` does.
 * @param to must not exist yet
 * @throws NighError IO
 */
export async function shareFile(from: string, to: string): Promise<void> {
  try {
    if (await linked(from, to)) return;
    await copyFile(from, to);
    await flush(to);
  } catch (cause) {
    if (cause instanceof NighError) throw cause;
    throw new NighError('IO', `${to}: cannot be taken over from ${from}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Replaces files of a coming generation by those of an earlier one that hold the same bytes. An earlier file is read first: one that was
 * damaged since it was written must not take the place of a sound one. What cannot be linked stays as it is.
 * @returns the names of the files that are shared now
 */
export async function shareUnchanged(
  earlier: EarlierGeneration,
  staging: Staging,
  stamps: Readonly<Record<string, FileStamp>>,
): Promise<string[]> {
  const shared: string[] = [];
  for (const [name, { bytes, sha256 }] of Object.entries(stamps)) {
    const known = earlier.manifest.files[name];
    if (known === undefined || known.bytes !== bytes || known.sha256 !== sha256) continue;
    const from = join(earlier.directory, name);
    const beside = staging.path(`${name}.${randomBytes(6).toString('hex')}`);
    try {
      if ((await stampFile(from)).sha256 !== sha256 || !(await linked(from, beside))) continue;
      await rename(beside, staging.path(name));
      shared.push(name);
    } catch {
      // The file that was just written is as good; only room is lost.
      await rm(beside, { force: true });
    }
  }
  return shared;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (cannotLink.includes((cause as NodeJS.ErrnoException).code)) return false;
    throw cause;
  }
}
