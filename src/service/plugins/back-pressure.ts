import { NighError } from '../../core/errors.js';
import type { ServiceApp } from '../type-provider.js';

export interface PressureLimits {
  /** So many requests may be under way at once. */
  readonly maxPending: number;
  /** So late may the event loop be, in milliseconds. */
  readonly maxDelayMs: number;
}

const lookEveryMs = 20;
/** One late look is a pause, such as the machine takes; as many in a row are too many requests. */
const lateLooks = 2;
/** With fewer requests since the last look it was not they who made the loop late. */
const fewRequests = 4;
/** A process that had less of its core than this was kept waiting by others, which refusing requests does not mend. */
const leastShare = 0.5;

/** What happened between two looks at the event loop. */
export interface Look {
  readonly requests: number;
  readonly elapsedMs: number;
  /** Processor time of this process. */
  readonly cpuMs: number;
}

/** Whether requests made the loop so late. */
export function wasOverrun({ requests, elapsedMs, cpuMs }: Look, maxDelayMs: number): boolean {
  return elapsedMs - lookEveryMs > maxDelayMs && requests >= fewRequests && cpuMs >= leastShare * elapsedMs;
}

/**
 * Refuses requests to the routes of `app` with 503 before the time to an answer collapses: when too many wait for native threads,
 * and when the event loop runs late turn after turn, which it does when requests come faster than they can be answered. A refusal takes a
 * fraction of an answer, so the loop catches up; who was refused may come again after `Retry-After`.
 *
 * @returns how many requests are under way
 */
export function addBackPressure(app: ServiceApp, { maxPending, maxDelayMs }: PressureLimits): () => number {
  let pending = 0;
  let late = 0;
  let asked = 0;
  let watch: NodeJS.Timeout | undefined;
  app.addHook('onReady', async () => {
    let lastLook = performance.now();
    let lastCpu = process.cpuUsage();
    watch = setInterval(() => {
      const now = performance.now();
      const used = process.cpuUsage(lastCpu);
      const look = { requests: asked, elapsedMs: now - lastLook, cpuMs: (used.user + used.system) / 1000 };
      late = wasOverrun(look, maxDelayMs) ? late + 1 : 0;
      lastLook = now;
      lastCpu = process.cpuUsage();
      asked = 0;
    }, lookEveryMs).unref();
  });
  app.addHook('onClose', async () => clearInterval(watch));

  app.addHook('onRequest', (_request, reply, done) => {
    asked += 1;
    if (late >= lateLooks) return done(overloaded(`it is more than ${maxDelayMs} ms behind`));
    if (pending >= maxPending) return done(overloaded(`${pending} requests are under way`));
    pending += 1;
    reply.raw.once('close', () => {
      pending -= 1;
    });
    done();
  });
  return () => pending;
}

function overloaded(reason: string): NighError {
  return new NighError('OVERLOADED', `The service is busy: ${reason}. Try again in a second.`);
}
