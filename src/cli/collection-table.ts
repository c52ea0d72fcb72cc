/** The spaces of collections for people: one row an index, with what was measured when it was built. */
import type { CollectionInfo, IndexInfo, SpaceInfo } from '../retrieval/types.js';
import { printTable } from './output.js';
import { bytes, count, share } from './quantities.js';
import type { TableColumn } from './table.js';

/** Prints the indexes of one or several collections; the collection is a column where there are several. */
export function printSpaces(collections: readonly CollectionInfo[]): void {
  const several = collections.length > 1;
  const columns: TableColumn[] = [
    ...(several ? [{ header: 'collection' }] : []),
    { header: 'space' },
    { header: 'embedding' },
    { header: 'answers' },
    { header: 'index' },
    { header: 'metric' },
    { header: 'dim', align: 'right' },
    { header: 'items', align: 'right' },
    { header: 'users', align: 'right' },
    { header: 'recall@10', align: 'right' },
    { header: 'queries', align: 'right' },
    { header: 'size', align: 'right' },
  ];
  const rows = collections.flatMap((collection) =>
    collection.spaces.flatMap((space) =>
      indexesOf(space).map(([answers, index]) => [
        ...(several ? [collection.name] : []),
        space.name,
        space.embedding,
        answers,
        index.kind,
        index.metric,
        String(index.dim),
        count(index.count),
        count(space.users),
        share(index.recallAt10),
        count(index.queries),
        bytes(index.fileBytes),
      ]),
    ),
  );
  printTable(columns, rows);
}

function indexesOf(space: SpaceInfo): [string, IndexInfo][] {
  const { similar, recommend } = space;
  return recommend === undefined
    ? [['similar', similar]]
    : [
        ['similar', similar],
        ['recommend', recommend],
      ];
}
