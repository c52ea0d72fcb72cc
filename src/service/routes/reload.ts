import { Type } from 'typebox';
import { CollectionPath, strict } from '../parameters.js';
import type { Reloader } from '../reloader.js';
import { responses } from '../schemas.js';
import type { ServiceApp } from '../type-provider.js';

const Reload = Type.Object({
  collection: Type.String(),
  from: Type.String({ description: 'The generation that was served before.' }),
  to: Type.String({ description: 'The generation that is served now.' }),
  swapped: Type.Boolean({ description: 'False where the live generation was served already.' }),
  recall: Type.Unsafe<Record<string, number>>({
    type: 'object',
    description: 'Recall@10 of a sample of items, by space.',
    additionalProperties: true,
  }),
  overlap: Type.Number({ description: 'Share of a sample’s answers that the two generations have in common.' }),
  tookMs: Type.Number({ minimum: 0 }),
});

/** The generation that CURRENT names, in the place of the one that is served. */
export function addReloadRoute(app: ServiceApp, reloader: Reloader, onReloaded?: (collection: string) => void): void {
  app.route({
    method: 'POST',
    url: '/collections/:collection/reload',
    config: { write: true },
    schema: {
      tags: ['collections'],
      summary: 'Serve the live generation; the old one goes on if the new one does not pass its checks',
      operationId: 'reload',
      params: Type.Object(CollectionPath),
      querystring: Type.Object({}, strict),
      response: responses('What was done.', Reload),
    },
    handler: async ({ params }) => {
      const reload = await reloader.reload(params.collection);
      if (reload.swapped) onReloaded?.(params.collection);
      return reload;
    },
  });
}
