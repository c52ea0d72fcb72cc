import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { apiVersion } from '../api-version.js';
import { namedSchemas } from '../schemas.js';
import type { ServiceApp } from '../type-provider.js';

const favicon = readFileSync(new URL('../explorer/favicon.svg', import.meta.url));

/** Collects the routes registered after it into an OpenAPI 3.1 document, shown readably at /docs. */
export async function addOpenApi(app: ServiceApp, secured: boolean): Promise<void> {
  for (const schema of namedSchemas) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'nigh',
        version: apiVersion,
        description:
          'Similar items, and items that suit a user. Ids in a path are percent-encoded: a slash is `%2F`. Errors are problem ' +
          'documents (RFC 9457) with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'collections', description: 'What is served' },
        { name: 'items', description: 'Items, and items like them' },
        { name: 'users', description: 'Items that suit a user' },
        { name: 'query', description: 'Any question, one or many in a call' },
        { name: 'changes', description: 'What changes a collection; needs the write token' },
        { name: 'service', description: 'Health and description of the service' },
      ],
      ...(secured
        ? {
            components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
            security: [{ token: [] }],
          }
        : {}),
    },
    refResolver: { buildLocalReference: (schema, _base, _fragment, at) => String(schema.$id ?? `schema-${at}`) },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', deepLinking: true, validatorUrl: null, layout: 'BaseLayout' },
    theme: {
      title: 'nigh: the HTTP service',
      favicon: [{ filename: 'favicon.svg', rel: 'icon', sizes: 'any', type: 'image/svg+xml', content: favicon }],
    },
    // Swagger UI sets style attributes; everything else stays as strict as on other pages.
    transformStaticCSP: (policy) => policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
  });
}
