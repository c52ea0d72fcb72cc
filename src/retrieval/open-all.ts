interface Closable {
  close(): void;
}

/**
 * What the promises give, once all have settled. If one fails, what the others opened is closed again, and the first failure
 * is thrown.
 */
export async function openAll<T extends Closable | undefined>(opening: readonly Promise<T>[]): Promise<T[]> {
  const opened: T[] = [];
  const failures: unknown[] = [];
  for (const result of await Promise.allSettled(opening)) {
    if (result.status === 'fulfilled') opened.push(result.value);
    else failures.push(result.reason);
  }
  if (failures.length === 0) return opened;
  for (const closable of opened) closable?.close();
  throw failures[0];
}
