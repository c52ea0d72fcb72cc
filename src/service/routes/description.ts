import { Type } from 'typebox';
import { responses } from '../schemas.js';
import type { ServiceApp } from '../type-provider.js';

/** The OpenAPI document of every route. */
export function addDescriptionRoute(app: ServiceApp): void {
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: {
      tags: ['service'],
      security: [],
      summary: 'This document (OpenAPI 3.1)',
      operationId: 'openapi',
      response: responses('The document.', Type.Unsafe<object>({ type: 'object', additionalProperties: true })),
    },
    handler: async () => app.swagger(),
  });
}
