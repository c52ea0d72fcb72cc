import { Type } from 'typebox';
import { NighError } from '../../core/errors.js';
import { responses } from '../schemas.js';
import type { ServiceApp } from '../type-provider.js';

const tags = ['service'];
const security: [] = [];

/** For whoever watches the process: `/healthz` while it runs, `/readyz` while it should be sent requests. */
export function addHealthRoutes(app: ServiceApp): void {
  let ready = false;
  app.addHook('onReady', async () => {
    ready = true;
  });
  app.addHook('preClose', async () => {
    ready = false;
  });

  app.route({
    method: 'GET',
    url: '/healthz',
    logLevel: 'warn',
    schema: {
      tags,
      security,
      summary: 'Whether the process runs',
      operationId: 'health',
      response: responses('It runs.', Type.Object({ status: Type.Literal('ok') })),
    },
    handler: async () => ({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    logLevel: 'warn',
    schema: {
      tags,
      security,
      summary: 'Whether it should be sent requests: 503 while it stops',
      operationId: 'ready',
      response: responses('It is ready.', Type.Object({ status: Type.Literal('ready') })),
    },
    handler: async () => {
      if (!ready) throw new NighError('NOT_READY', 'The service is stopping.');
      return { status: 'ready' as const };
    },
  });
}
