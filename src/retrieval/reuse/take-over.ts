import { join } from 'node:path';
import type { Staging } from '../generation.js';
import { type EarlierGeneration, shareFile } from '../upkeep/share-files.js';
import type { SpaceRecord } from './space-record.js';

/** Puts the files of a space of the live generation, which the plan found sound, into the coming one. @throws NighError IO */
export async function takeOver(
  { directory }: EarlierGeneration,
  staging: Staging,
  { files }: SpaceRecord,
): Promise<void> {
  for (const name of Object.keys(files)) await shareFile(join(directory, name), staging.path(name));
}
