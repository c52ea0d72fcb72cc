import type { Command } from 'commander';
import type { CheckedIndex } from '../../retrieval/upkeep/check-space.js';
import type { Repair } from '../../retrieval/upkeep/repair-collection.js';
import type { Verification, VerifyProgress } from '../../retrieval/upkeep/verify-collection.js';
import { collectionPath } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { exitCodes } from '../errors.js';
import { printJson, printLine, printTable, say } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, count, counted, share } from '../quantities.js';

interface VerifyOptions {
  readonly repair: boolean;
  readonly json: boolean;
}

/** `nigh verify`: is a collection what was built? */
export function addVerifyCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('verify')
    .description('checks a collection: every checksum, every vector found by itself, ids, and recall against the floor')
    .argument('<collection>', 'name of a built collection, or its directory')
    .option('--repair', 'mend what can be mended, in a new generation; what is damaged stays on disk', false)
    .option('--json', 'what was found as one JSON document', false)
    .addHelpText(
      'after',
      `
The live generation is checked in every respect, the older ones by the checksums of their files. Nothing is changed without --repair. Exit
code 1 when something is wrong; with --repair, when something of the live generation still is.

What can be mended: an index whose vectors are whole (it is built again, as the recipe says), vectors that are no longer found, a file that
another generation has too, a lost CURRENT. What cannot is said, and nothing is changed then.

Examples:
  $ nigh verify movies
  $ nigh verify movies --repair --json`,
    )
    .action((wanted: string, options: VerifyOptions) => verify(wanted, options, context));
}

async function verify(wanted: string, { repair, json }: VerifyOptions, { signal }: CommandContext): Promise<void> {
  const directory = collectionPath(wanted);
  const progress = new Progress();
  await progress.prepare();
  const settings = { signal, onProgress: reportTo(progress) };
  let after: Verification;
  try {
    if (repair) {
      const { repairCollection } = await import('../../retrieval/upkeep/repair-collection.js');
      const done = await repairCollection(directory, settings);
      progress.end();
      after = done.after;
      if (json) printJson(done);
      else printRepair(done);
    } else {
      const { verifyCollection } = await import('../../retrieval/upkeep/verify-collection.js');
      after = await verifyCollection(directory, settings);
      progress.end();
      if (json) printJson(after);
      else printVerification(after);
    }
  } catch (error) {
    progress.abandon();
    throw error;
  }
  if (repair ? !isLiveSound(after) : !after.sound) process.exitCode = exitCodes.failed;
  if (!after.sound && !repair && !json) say(`nigh verify ${wanted} --repair mends what can be mended.`);
}

const units = { files: 'files', vocabulary: 'ids', index: 'vectors', journal: 'changes' } as const;

function reportTo(progress: Progress): (report: VerifyProgress) => void {
  let stage = '';
  return ({ stage: kind, subject, done, total }) => {
    const name = kind === 'files' ? 'reading files' : `checking ${subject}`;
    if (name !== stage) progress.begin(name);
    stage = name;
    progress.update(done, total, units[kind]);
  };
}

function printVerification(found: Verification): void {
  const {
    collection,
    generation,
    files,
    bytes: read,
    changes,
    indexes,
    findings,
    recallFloor,
    olderGenerations,
  } = found;
  const older = olderGenerations.length === 0 ? '' : `, beside it ${olderGenerations.join(', ')}`;
  printLine(`${collection ?? found.directory}: ${generation ?? 'no live generation'}${older}`);
  const journal = changes === undefined ? '' : `; ${counted(changes, 'change')} in the journal since`;
  printLine(`${counted(files, 'file')} read (${bytes(read)})${journal}`);
  if (indexes.length > 0) {
    printLine('');
    printIndexes(indexes, recallFloor);
  }
  printLine('');
  if (findings.length === 0) {
    printLine('Sound: every file is what was written, and every vector is found.');
    return;
  }
  printTable(
    [
      { header: 'wrong' },
      { header: 'generation' },
      { header: 'file' },
      { header: 'code' },
      { header: 'what', flexible: true },
    ],
    findings.map(({ check, generation: of, subject, code, message }) => [check, of ?? '', subject, code, message]),
  );
}

function printIndexes(indexes: readonly CheckedIndex[], recallFloor: number | undefined): void {
  printTable(
    [
      { header: 'index' },
      { header: 'kind' },
      { header: 'vectors', align: 'right' },
      { header: 'not found', align: 'right' },
      { header: 'unreachable', align: 'right' },
      { header: 'dangling', align: 'right' },
      { header: 'recall@10', align: 'right' },
      { header: 'floor', align: 'right' },
    ],
    indexes.map(({ file, kind, vectors, notFound, unreachable, dangling, recallAt10 }) => [
      file,
      kind,
      count(vectors),
      count(notFound),
      count(unreachable),
      count(dangling),
      recallAt10 === undefined ? 'exact' : share(recallAt10),
      recallAt10 === undefined || recallFloor === undefined ? '' : share(recallFloor),
    ]),
  );
}

function printRepair({ before, mended, beyond, after }: Repair): void {
  if (before.sound) {
    printVerification(before);
    return;
  }
  const rows = [
    ...before.findings.map(({ subject, message }) => ['wrong', subject, message]),
    ...mended.map(({ subject, how }) => ['mended', subject, how]),
    ...beyond.map(({ subject, how }) => ['beyond repair', subject, how]),
  ];
  printTable([{ header: '' }, { header: 'file' }, { header: 'what', flexible: true }], rows);
  printLine('');
  if (mended.length === 0) printLine('Nothing was changed.');
  else
    printLine(
      `${after.generation} is live${isLiveSound(after) ? ', and sound. What was damaged stays on disk until builds remove it' : ''}.`,
    );
}

/** Older generations are kept as they are, damaged or not. */
function isLiveSound({ findings, generation }: Verification): boolean {
  return findings.every((finding) => finding.generation !== undefined && finding.generation !== generation);
}
