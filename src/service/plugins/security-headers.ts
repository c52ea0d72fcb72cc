import helmet from '@fastify/helmet';
import type { ServiceApp } from '../type-provider.js';

/**
 * Strict headers on every answer: nothing inline, nothing from another host, in no frame.
 *
 * Neither HSTS nor `upgrade-insecure-requests`: the service speaks plain HTTP, and whether its name has TLS is for the proxy in
 * front of it to say.
 */
export async function addSecurityHeaders(app: ServiceApp): Promise<void> {
  await app.register(helmet, {
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
  });
}
