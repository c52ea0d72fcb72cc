import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CollectionInfo } from '../../retrieval/index.js';
import { printSpaces } from '../collection-table.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { printJson, printLine, printTable } from '../output.js';
import { bytes, count, duration } from '../quantities.js';

interface InspectOptions {
  readonly json: boolean;
}

/** `nigh inspect`: what a collection or an index file is, from headers alone. */
export function addInspectCommand(nigh: Command, _context: CommandContext): void {
  nigh
    .command('inspect')
    .description('what a collection or an index file holds, read from its headers alone')
    .argument('<collection>', 'name of a built collection, its directory, or an index file (.ann)')
    .option('--json', "one JSON document: for a collection the same object as the service's", false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ nigh inspect npm-packages\n  $ nigh inspect indexes/emoji/gen-000001/text.similar.ann --json',
    )
    .action((wanted: string, { json }: InspectOptions) =>
      isFile(wanted) ? inspectFile(wanted, json) : inspectCollection(wanted, json),
    );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

async function inspectCollection(wanted: string, json: boolean): Promise<void> {
  const directory = collectionDirectory(wanted);
  const { liveGeneration, readManifest, toInfo } = await import('../../retrieval/generation.js');
  const info = toInfo(await readManifest(join(directory, (await liveGeneration(directory)) ?? '')));
  if (json) {
    printJson(info);
    return;
  }
  for (const line of headline(info, directory)) printLine(line);
  printLine('');
  printSpaces([info]);
}

function headline(info: CollectionInfo, directory: string): string[] {
  const { dataset } = info;
  return [
    `${info.name}: ${info.title}`,
    ...(info.description === '' ? [] : [info.description]),
    `items         ${count(info.items)}`,
    `users         ${count(info.users)}`,
    `interactions  ${count(info.interactions)}`,
    `generation    ${info.generation} of ${info.createdAt}, built in ${duration(info.buildSeconds)}, recall floor ${info.recallFloor}`,
    `on disk       ${bytes(info.bytesOnDisk)} in ${directory}`,
    `dataset       ${dataset.name}`,
    `licence       ${dataset.licence}`,
    `source        ${dataset.source}`,
    ...(info.leftOut ?? []).map(({ name, needs }) => `left out      ${name}, which needs ${needs}`),
  ];
}

async function inspectFile(path: string, json: boolean): Promise<void> {
  const { inspectIndex } = await import('../../index/inspect-index.js');
  const inspection = await inspectIndex(path);
  if (json) {
    printJson(inspection);
    return;
  }
  const { kind, metric, dim, count: vectors, fileBytes, version, sections } = inspection;
  printLine(
    `${path}: ${kind}, ${metric}, ${count(vectors)} vectors of ${dim} dimensions, ${bytes(fileBytes)}, format version ${version}`,
  );
  printLine('');
  printTable(
    [{ header: 'section' }, { header: 'bytes', align: 'right' }],
    sections.map((section) => [section.name, count(section.bytes)]),
  );
}
