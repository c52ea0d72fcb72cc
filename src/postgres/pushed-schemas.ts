/** What of a collection is in a database. */
import type { Database } from './database.js';
import { type Layout, tableIn, tableNames } from './layout.js';
import { quoteName, quoteText } from './sql-text.js';

/** The generation that the views show; undefined where nothing was pushed. */
export async function liveGenerationOf(database: Database, { live }: Layout): Promise<string | undefined> {
  const view = tableIn(live, tableNames.generation);
  const [there] = await database.read(`SELECT to_regclass(${quoteText(view)})`);
  if (there?.[0] == null) return undefined;
  return (await database.read(`SELECT generation FROM ${view}`))[0]?.[0] ?? undefined;
}

/** The schemas of a collection's generations, and whether all of each is there. */
export async function schemasOf(
  database: Database,
  { prefix }: Layout,
): Promise<{ readonly name: string; readonly complete: boolean; readonly createdAt: string | undefined }[]> {
  const names = await database.read(
    `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, ${quoteText(prefix)}) AND substr(nspname, ${prefix.length + 1}) ~ '^[0-9]+$' ORDER BY nspname`,
  );
  const schemas = [];
  for (const [name] of names) {
    const table = tableIn(name!, tableNames.generation);
    const [there] = await database.read(`SELECT to_regclass(${quoteText(table)})`);
    const [row] = there?.[0] == null ? [] : await database.read(`SELECT complete, created_at FROM ${table}`);
    schemas.push({ name: name!, complete: row?.[0] === 't', createdAt: row?.[1] ?? undefined });
  }
  return schemas;
}

/**
 * Drops what a push that died left half loaded. The server may still be busy with the last that it sent: what is committed of it counts, so that
 * no generation is dropped which has just become the live one.
 */
export async function dropIncomplete(database: Database, layout: Layout): Promise<void> {
  for (const { name, complete } of await schemasOf(database, layout)) {
    if (complete) continue;
    await database.transact(async ({ read }) => {
      const table = tableIn(name, tableNames.generation);
      const [there] = await read(`SELECT to_regclass(${quoteText(table)})`);
      if (there?.[0] != null) {
        await read(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
        const [row] = await read(`SELECT complete FROM ${table}`);
        if (row?.[0] === 't') return;
      }
      await read(`DROP SCHEMA ${quoteName(name)} CASCADE`);
    });
  }
}
