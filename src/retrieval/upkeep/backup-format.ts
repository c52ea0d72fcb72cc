/**
 * A backup is one tar file, which `tar -tf` lists:
 *
 *   nigh-backup.json     what the backup is, and length and SHA-256 of every other file in it; its checksum covers all of it
 *   generation/<file>    the live generation: its manifest and the files that it lists
 *   journal/data.mdb     the changes since, and before, as they were at one moment; in a backup of version 2
 *   recipe.json          the recipe beside the collection, if there was one
 *
 * So every byte that counts is under a checksum, and a backup that was cut lacks a file that its first one lists.
 */
import { createHash } from 'node:crypto';
import { describe, NighError } from '../../core/errors.js';
import { isPlainObject } from '../../core/params.js';
import type { FileStamp } from '../packed-file.js';

/** What `nigh-backup.json` of this release may hold: with a journal 2, otherwise 1, as before there were journals. */
export const backupVersion = 2;

export const backupHeadName = 'nigh-backup.json';
export const generationFolder = 'generation/';
export const backupJournal = 'journal/data.mdb';

export interface BackupHead {
  readonly version: number;
  readonly collection: string;
  readonly generation: string;
  readonly createdAt: string;
  /** Every other file, by its name in the tar, in the order of the tar. */
  readonly files: Readonly<Record<string, FileStamp>>;
}

/** The head as it lies in the file. */
export function packHead(head: BackupHead): Buffer {
  return Buffer.from(`${JSON.stringify({ ...head, checksum: checksumOf(head) }, null, 2)}\n`);
}

/** @param origin for messages @throws NighError FORMAT, VERSION_UNSUPPORTED, CHECKSUM_MISMATCH */
export function readHead(bytes: Buffer, origin: string): BackupHead {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new NighError('FORMAT', `${origin}: its head is not valid JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isPlainObject(value))
    throw new NighError('FORMAT', `${origin}: expected an object as its head, got ${describe(value)}.`);
  const { checksum, ...head } = value;
  if (typeof head.version === 'number' && head.version > backupVersion) {
    throw new NighError(
      'VERSION_UNSUPPORTED',
      `${origin}: written as version ${head.version}; this release reads up to ${backupVersion}.`,
    );
  }
  if (checksum !== checksumOf(head)) throw new NighError('CHECKSUM_MISMATCH', `${origin}: its head was altered.`);
  const read = head as unknown as BackupHead;
  if (!/^gen-\d{6,}$/.test(read.generation)) {
    throw new NighError('FORMAT', `${origin}: expected the name of a generation, got ${describe(read.generation)}.`);
  }
  for (const name of Object.keys(read.files)) requireName(name, origin);
  return read;
}

/** Names become paths: nothing in a backup may be written anywhere but below the collection. */
function requireName(name: string, origin: string): void {
  const path = name.startsWith(generationFolder) ? name.slice(generationFolder.length) : name;
  if (/^[a-z0-9][a-z0-9._-]*$/i.test(path) && (path !== name || name === 'recipe.json')) return;
  if (name === backupJournal) return;
  throw new NighError('FORMAT', `${origin}: lists a file ${describe(name)}, which no backup has.`);
}

function checksumOf(head: unknown): string {
  return createHash('sha256').update(JSON.stringify(head)).digest('hex');
}
