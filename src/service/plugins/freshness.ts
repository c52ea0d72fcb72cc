import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

/**
 * Before a collection is asked, what another process has written to it is applied: whoever wrote and was answered is answered by it, whichever
 * process they ask. Costs one look where nothing is new.
 */
export function addFreshness(app: ServiceApp, collections: ServedCollections): void {
  app.addHook<{ Params: { collection?: string } }>('preHandler', (request, _reply, done) => {
    const name = request.params.collection;
    if (name === undefined || collections.get(name).catchUp === undefined) return done();
    collections.use(name, async (collection) => collection.catchUp?.()).then(() => done(), done);
  });
}
