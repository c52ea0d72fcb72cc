import rateLimit from '@fastify/rate-limit';
import { NighError } from '../../core/errors.js';
import type { ServiceApp } from '../type-provider.js';

/** Lets each client address send so many requests a second to the routes of `app`; the rest are refused until the second is over. */
export async function addRateLimit(app: ServiceApp, requestsPerSecond: number): Promise<void> {
  await app.register(rateLimit, {
    max: requestsPerSecond,
    timeWindow: 1000,
    errorResponseBuilder: () =>
      new NighError('RATE_LIMITED', `One address may send ${requestsPerSecond} requests a second.`),
  });
}
