/** `nigh/service`: the HTTP service. `serve` listens; `buildApp` is the same service for a Fastify of one's own, or for tests. */
export { type AppOptions, buildApp } from './app.js';
export type { ServedCollection } from './served-collections.js';
export { type RunningService, type ServeOptions, serve } from './server.js';
