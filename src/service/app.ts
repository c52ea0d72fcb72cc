import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { number, optional, readParams, text } from '../core/params.js';
import type { Changes } from './changes/change.js';
import { LocalChanges } from './changes/local-changes.js';
import { bodyLimit, pathPartLimit } from './framework-refusal.js';
import { Metrics } from './metrics.js';
import { addAccessLog } from './plugins/access-log.js';
import { requireTokens } from './plugins/access-tokens.js';
import { addBackPressure } from './plugins/back-pressure.js';
import { addCompression } from './plugins/compression.js';
import { addConnectionLimits } from './plugins/connection-limits.js';
import { addETags } from './plugins/etags.js';
import { addFreshness } from './plugins/freshness.js';
import { addMessagePack } from './plugins/message-pack.js';
import { addOpenApi } from './plugins/openapi.js';
import { addProblems, answerClientError, answerFrameworkError } from './plugins/problems.js';
import { addRateLimit } from './plugins/rate-limit.js';
import { addRequestIds, requestIds } from './plugins/request-ids.js';
import { addSecurityHeaders } from './plugins/security-headers.js';
import { watchRecall } from './recall-watch.js';
import { Reloader } from './reloader.js';
import { compileValidator } from './request-validation.js';
import { addChangeRoutes } from './routes/changes.js';
import { addCollectionRoutes } from './routes/collections.js';
import { addDescriptionRoute } from './routes/description.js';
import { addExplorer } from './routes/explorer.js';
import { addHealthRoutes } from './routes/health.js';
import { addImageRoute } from './routes/image.js';
import { addItemRoutes } from './routes/items.js';
import { addMetricsRoute } from './routes/metrics.js';
import { addQueryRoutes } from './routes/query.js';
import { addReloadRoute } from './routes/reload.js';
import { addSpaceRoutes } from './routes/spaces.js';
import { addUserRoutes } from './routes/users.js';
import { type ServedCollection, ServedCollections } from './served-collections.js';
import type { ServiceApp, TypeBoxProvider } from './type-provider.js';

export interface AppOptions extends AppLimits {
  /**
   * Open collections with distinct names, at least one. Closing them is for whoever opened them; one that was replaced by a newer
   * generation is closed here.
   */
  readonly collections: readonly ServedCollection[];
  /** `true` writes one JSON line an event to stderr; or a pino logger. Default: no log. */
  readonly logger?: boolean | FastifyBaseLogger;
}

/** What an app lets through, and how long it takes for it. */
export interface AppLimits {
  /** What `/v1` and `/metrics` ask for in `Authorization: Bearer …`. Default: nothing. */
  readonly token?: string;
  /** What the routes that change something ask for; it may read too. Default: nobody may change anything. */
  readonly writeToken?: string;
  /** So many requests may each client address send to `/v1` in a second, 1 or more; the rest are 429. Default: any number. */
  readonly rateLimit?: number;
  /** A request that is not answered after so many milliseconds, 1 to 3,600,000, is 504, and its search stops. Default 10,000. */
  readonly deadlineMs?: number;
  /** So many requests, 1 or more, may be under way; further ones are 503 with Retry-After. Default 1,024. */
  readonly maxPending?: number;
  /** So late may the event loop be twice in a row, in milliseconds, before requests are refused with 503. Default 500. */
  readonly maxDelayMs?: number;
  /** How often `CURRENT` is read, in milliseconds, to serve a new generation once it is live. 0: never. Default 0. */
  readonly watchMs?: number;
  /** How often the recall of what is served is measured, in milliseconds. 0: never. Default 0. */
  readonly canaryMs?: number;
  /** Least share of answers that a new generation has in common with the old one, 0 to 1; below it is refused. Default 0.1. */
  readonly minOverlap?: number;
}

const receivingMs = 30_000;

/** The keys of AppLimits with their defaults. */
export const appLimits = {
  token: optional(text()),
  writeToken: optional(text()),
  rateLimit: optional(number({ min: 1 })),
  deadlineMs: number({ min: 1, max: 3_600_000, default: 10_000 }),
  maxPending: number({ min: 1, default: 1024 }),
  maxDelayMs: number({ min: 1, default: 500 }),
  watchMs: number({ min: 0, default: 0 }),
  canaryMs: number({ min: 0, default: 0 }),
  minOverlap: number({ min: 0, max: 1, default: 0.1 }),
};

/** What belongs to a process among several that serve the same. */
export interface ProcessHooks {
  /** Metrics of all of them; default: this one's. */
  readonly readMetrics?: (metrics: Metrics) => Promise<string>;
  /** Called after a reload that was asked for over HTTP, or that a compaction led to. */
  readonly onReloaded?: (collection: string) => void;
  /** Where changes go; default: to this process's collections. */
  readonly changes?: (collections: ServedCollections, reloader: Reloader) => Changes;
}

/** A built app, and what reloads its collections. */
export interface BuiltApp {
  readonly app: ServiceApp;
  readonly collections: ServedCollections;
  readonly reloader: Reloader;
  readonly metrics: Metrics;
  readonly changes: Changes;
}

/**
 * The service with all its routes, apart from listening: `serve` puts it on a port, tests use `inject`.
 *
 * `/v1/…` are the questions; `/healthz`, `/readyz`, `/openapi.json`, `/docs` and the explorer at `/` need no token, since they
 * hold nothing of a collection.
 *
 * @throws NighError INVALID_ARGUMENT without a collection or for a limit out of range, DUPLICATE_ID for two of one name, UNKNOWN_OPTION
 */
export async function buildApp(options: AppOptions): Promise<ServiceApp> {
  return (await assemble(options)).app;
}

/** `buildApp`, with the parts that `serve` needs to reload and to speak with other processes. */
export async function assemble(options: AppOptions, hooks: ProcessHooks = {}): Promise<BuiltApp> {
  const { collections: given, logger = false, ...limits } = options;
  const { token, writeToken, rateLimit, deadlineMs, ...rest } = readParams(appLimits, limits, '');
  const collections = new ServedCollections(given);
  const app = Fastify({
    ...logging(logger),
    genReqId: requestIds(),
    bodyLimit,
    // Time to receive a whole request, so that slow senders do not hold connections. Node lets a body take the larger of the two.
    requestTimeout: receivingMs,
    http: { headersTimeout: receivingMs, connectionsCheckingInterval: 5000 },
    keepAliveTimeout: 72_000,
    // While it drains, what still arrives on an open connection is answered, with `Connection: close`.
    return503OnClosing: false,
    // One line a request is written by plugins/access-log.ts.
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: pathPartLimit },
  }).withTypeProvider<TypeBoxProvider>();
  let pending = () => 0;
  const metrics = new Metrics(
    () => pending(),
    () => collections.all(),
  );
  const reloader = new Reloader(collections, { minOverlap: rest.minOverlap, logger: app.log, metrics });
  const changes =
    hooks.changes?.(collections, reloader) ??
    new LocalChanges({ collections, reloader, metrics, onCompacted: (name) => hooks.onReloaded?.(name) });
  collections.onAnswer = (name, answer) => metrics.searched(name, answer);

  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(compileValidator);
  addProblems(app, metrics);
  addConnectionLimits(app);
  addRequestIds(app);
  addSecurityHeaders(app);
  addMessagePack(app);
  addCompression(app);
  if (logger !== false) addAccessLog(app);
  await addOpenApi(app, token !== undefined);
  addHealthRoutes(app);
  addDescriptionRoute(app);
  await addExplorer(app);
  await app.register(async (watched: ServiceApp) => {
    requireTokens(watched, { read: token, write: writeToken });
    addMetricsRoute(watched, metrics, () => hooks.readMetrics?.(metrics) ?? metrics.text());
  });
  await app.register(
    async (v1: ServiceApp) => {
      pending = addBackPressure(v1, rest);
      if (rateLimit !== undefined) await addRateLimit(v1, rateLimit);
      requireTokens(v1, { read: token, write: writeToken });
      v1.addHook('onResponse', (request, reply, done) => {
        metrics.answered(request.method, request.routeOptions.url ?? '', reply.statusCode, reply.elapsedTime);
        done();
      });
      addFreshness(v1, collections);
      addETags(v1, collections);
      addCollectionRoutes(v1, collections);
      addItemRoutes(v1, collections, deadlineMs);
      addImageRoute(v1, collections);
      addUserRoutes(v1, collections, deadlineMs);
      addSpaceRoutes(v1, collections);
      addQueryRoutes(v1, collections, deadlineMs);
      addReloadRoute(v1, reloader, hooks.onReloaded);
      addChangeRoutes(v1, changes);
    },
    { prefix: '/v1' },
  );
  watchOver(app, collections, { ...rest, reloader, metrics });
  await app.ready();
  return { app, collections, reloader, metrics, changes };
}

interface Watching {
  readonly watchMs: number;
  readonly canaryMs: number;
  readonly reloader: Reloader;
  readonly metrics: Metrics;
}

/** What goes on beside the requests, until the app is closed. */
function watchOver(
  app: ServiceApp,
  collections: ServedCollections,
  { watchMs, canaryMs, reloader, metrics }: Watching,
): void {
  if (watchMs > 0) reloader.watch(watchMs);
  const stop = canaryMs > 0 ? watchRecall(collections, { everyMs: canaryMs, metrics, logger: app.log }) : undefined;
  app.addHook('preClose', async () => {
    reloader.stop();
    stop?.();
  });
  app.addHook('onClose', async () => {
    metrics.close();
    await collections.closeReplacements();
  });
}

function logging(logger: boolean | FastifyBaseLogger) {
  if (logger === false) return { logger: false };
  return logger === true ? { logger: { stream: process.stderr } } : { loggerInstance: logger };
}
