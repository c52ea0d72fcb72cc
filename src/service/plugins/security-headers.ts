import helmet from 'helmet';
import type { ServiceApp } from '../type-provider.js';

/**
 * Strict headers on every answer: nothing inline, nothing from another host, in no frame. No CORS header either: pages of other
 * origins may not read answers.
 *
 * Neither HSTS nor `upgrade-insecure-requests`: the service speaks plain HTTP, and whether its name has TLS is for the proxy in
 * front of it to say.
 *
 * No header depends on the request, so helmet is asked once; asked for every request it would take longer than some searches.
 */
export function addSecurityHeaders(app: ServiceApp): void {
  const headers: Record<string, string> = {};
  const recorder = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => {},
  };
  const fail = (error?: unknown) => {
    if (error !== undefined) throw error;
  };
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        formAction: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
  })(
    {} as Parameters<ReturnType<typeof helmet>>[0],
    recorder as unknown as Parameters<ReturnType<typeof helmet>>[1],
    fail,
  );
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}
