// Recommendations as a plugin of a Fastify app that has routes, logs and users of its own.
//   app.register(recommendations, { collection: 'indexes/shop' })
import { Retriever } from 'nigh';

/** Decorates the app with `retriever`, adds two routes, and closes the collection with the app. */
export async function recommendations(app, { collection }) {
  const retriever = await Retriever.open(collection);
  app.decorate('retriever', retriever);
  app.addHook('onClose', () => retriever.close());

  app.get('/products/:id/similar', (request) => {
    const k = Number(request.query.k ?? 5);
    return retriever.similarItems(request.params.id, { k, signal: AbortSignal.timeout(1000) });
  });

  app.get('/customers/:id/home', async (request) => {
    // Somebody who is not known yet gets what most people have.
    const { results } = await retriever.recommend(request.params.id, { k: 5, fallback: true });
    return results.map(({ id, title }) => ({ id, title }));
  });

  // A NighError has the status and the stable code that belong to it.
  app.setErrorHandler((error, _request, reply) => {
    if (error.name !== 'NighError') throw error;
    return reply.status(error.status).send({ code: error.code, message: error.message });
  });
}

// Seen by the whole app, not only by routes inside the plugin.
recommendations[Symbol.for('skip-override')] = true;
