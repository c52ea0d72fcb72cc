import type { FastifyBaseLogger } from 'fastify';
import { canaryRecall } from './canary.js';
import type { Metrics } from './metrics.js';
import type { ServedCollections } from './served-collections.js';

const sampleSize = 32;

/** Measures the recall of what is served, every so often; a space below its floor is logged as an error. Returns what stops it. */
export function watchRecall(
  collections: ServedCollections,
  { everyMs, metrics, logger }: { everyMs: number; metrics: Metrics; logger: FastifyBaseLogger },
): () => void {
  const stop = new AbortController();
  let timer = setTimeout(round, everyMs).unref();

  async function round(): Promise<void> {
    for (const { info } of collections.all()) {
      try {
        await collections.use(info.name, async (collection) => {
          const recalls = await canaryRecall(collection, collection.sampleItems?.(sampleSize) ?? [], stop.signal);
          metrics.canary(info.name, recalls);
          for (const [space, recall] of recalls) {
            if (recall >= info.recallFloor) continue;
            logger.error(
              { collection: info.name, space, recall, floor: info.recallFloor },
              'recall is below its floor',
            );
          }
        });
      } catch (error) {
        if (stop.signal.aborted) return;
        logger.error({ err: error, collection: info.name }, 'recall could not be measured');
      }
    }
    if (!stop.signal.aborted) timer = setTimeout(round, everyMs).unref();
  }

  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}
