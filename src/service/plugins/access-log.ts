import type { ServiceApp } from '../type-provider.js';

/** One structured line for every request that was answered; those for health only where something is wrong with them. */
export function addAccessLog(app: ServiceApp): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, routeOptions } = request;
    const line = {
      method,
      url,
      route: routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 1000) / 1000,
      client: request.ip,
    };
    if (reply.statusCode >= 500) request.log.warn(line, 'answered');
    else request.log.info(line, 'answered');
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    request.log.info({ method: request.method, url: request.url }, 'the client left');
    done();
  });
}
