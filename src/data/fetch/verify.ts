import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import type { NamedDataset } from './named-datasets.js';

/**
 * Checks that a folder or tarball holds exactly what is pinned for the dataset.
 * @throws NighError CHECKSUM_MISMATCH, NOT_FOUND for a file that is missing, IO, ABORTED
 */
export async function verifyDataset({ delivery }: NamedDataset, path: string, signal?: AbortSignal): Promise<void> {
  if (delivery.kind === 'npm') {
    const [algorithm, expected] = splitIntegrity(delivery.integrity);
    await requireDigest(path, algorithm, 'base64', expected, signal);
    return;
  }
  if (delivery.kind === 'file') {
    await requireDigest(path, 'sha256', 'hex', delivery.sha256, signal);
    return;
  }
  for (const [file, sha256] of Object.entries(delivery.files)) {
    await requireDigest(join(path, file), 'sha256', 'hex', sha256, signal);
  }
}

async function requireDigest(
  path: string,
  algorithm: string,
  encoding: 'hex' | 'base64',
  expected: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfAborted(signal);
  const hash = createHash(algorithm);
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw fileError(path, error);
  }
  const digest = hash.digest(encoding);
  if (digest !== expected) {
    throw new NighError('CHECKSUM_MISMATCH', `${path}: expected ${algorithm} ${expected}, got ${digest}.`);
  }
}

/** `sha512-…` → algorithm and base64 digest. */
function splitIntegrity(integrity: string): [string, string] {
  const dash = integrity.indexOf('-');
  return [integrity.slice(0, dash), integrity.slice(dash + 1)];
}
