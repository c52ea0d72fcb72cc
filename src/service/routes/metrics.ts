import type { Metrics } from '../metrics.js';
import type { ServiceApp } from '../type-provider.js';

/** What the service measured of itself, for Prometheus. `read` may add up those of several processes. */
export function addMetricsRoute(app: ServiceApp, metrics: Metrics, read: () => Promise<string>): void {
  app.get('/metrics', { logLevel: 'warn', schema: { hide: true } }, async (_request, reply) => {
    reply.type(metrics.contentType);
    return read();
  });
}
