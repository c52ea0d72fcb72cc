import Fastify, { type FastifyBaseLogger } from 'fastify';
import { bodyLimit, pathPartLimit } from './framework-refusal.js';
import { addETags } from './plugins/etags.js';
import { addOpenApi } from './plugins/openapi.js';
import { addProblems, answerClientError, answerFrameworkError } from './plugins/problems.js';
import { requireReadToken } from './plugins/read-token.js';
import { addRequestIds, requestIds } from './plugins/request-ids.js';
import { addSecurityHeaders } from './plugins/security-headers.js';
import { compileValidator } from './request-validation.js';
import { addCollectionRoutes } from './routes/collections.js';
import { addDescriptionRoute } from './routes/description.js';
import { addExplorer } from './routes/explorer.js';
import { addHealthRoutes } from './routes/health.js';
import { addItemRoutes } from './routes/items.js';
import { addQueryRoutes } from './routes/query.js';
import { addUserRoutes } from './routes/users.js';
import { type ServedCollection, ServedCollections } from './served-collections.js';
import type { ServiceApp, TypeBoxProvider } from './type-provider.js';

export interface AppOptions {
  /** Open collections with distinct names, at least one. Closing them is for whoever opened them. */
  readonly collections: readonly ServedCollection[];
  /** `true` writes one JSON line an event to stderr; or a pino logger. Default: no log. */
  readonly logger?: boolean | FastifyBaseLogger;
  /** What `/v1` asks for in `Authorization: Bearer …`. Default: nothing. */
  readonly token?: string;
}

/**
 * The service with all its routes, apart from listening: `serve` puts it on a port, tests use `inject`.
 *
 * `/v1/…` are the questions; `/healthz`, `/readyz`, `/openapi.json`, `/docs` and the explorer at `/` need no token, since they
 * hold nothing of a collection.
 *
 * @throws NighError INVALID_ARGUMENT without a collection, DUPLICATE_ID for two of one name
 */
export async function buildApp(options: AppOptions): Promise<ServiceApp> {
  const collections = new ServedCollections(options.collections);
  const { token } = options;
  const app = Fastify({
    ...logging(options.logger ?? false),
    genReqId: requestIds(),
    bodyLimit,
    // Time to receive a whole request, so that slow senders do not hold connections.
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    // While it drains, what still arrives on an open connection is answered, with `Connection: close`.
    return503OnClosing: false,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: pathPartLimit },
  }).withTypeProvider<TypeBoxProvider>();
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(compileValidator);
  addProblems(app);
  addRequestIds(app);
  await addSecurityHeaders(app);
  await addOpenApi(app, token !== undefined);
  addHealthRoutes(app);
  addDescriptionRoute(app);
  await addExplorer(app);
  await app.register(
    async (v1: ServiceApp) => {
      if (token !== undefined) requireReadToken(v1, token);
      addETags(v1, collections);
      addCollectionRoutes(v1, collections);
      addItemRoutes(v1, collections);
      addUserRoutes(v1, collections);
      addQueryRoutes(v1, collections);
    },
    { prefix: '/v1' },
  );
  await app.ready();
  return app;
}

function logging(logger: boolean | FastifyBaseLogger) {
  if (logger === false) return { logger: false };
  return logger === true ? { logger: { stream: process.stderr } } : { loggerInstance: logger };
}
