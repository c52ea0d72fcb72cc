import { throwIfAborted } from '../../core/abort.js';

/**
 * Works through a list with so many pieces under way at a time, begun in order. After a failure no more are begun, and once those under way have
 * ended it is thrown.
 */
export async function inLanes<T>(
  list: readonly T[],
  lanes: number,
  signal: AbortSignal,
  work: (each: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly cause: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < list.length && failure === undefined) {
      const at = next++;
      try {
        throwIfAborted(signal);
        await work(list[at]!);
      } catch (cause) {
        failure ??= { cause };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, list.length) }, lane));
  if (failure !== undefined) throw failure.cause;
}
