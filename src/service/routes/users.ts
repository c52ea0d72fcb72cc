import { Type } from 'typebox';
import { ExcludeSeen, SearchParameters, strict, UserPath } from '../parameters.js';
import { clientGone } from '../request-signal.js';
import { Answer, responses } from '../schemas.js';
import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

/** Items that suit a user. */
export function addUserRoutes(app: ServiceApp, collections: ServedCollections): void {
  app.route({
    method: 'GET',
    url: '/collections/:collection/users/:user/recommendations',
    schema: {
      tags: ['users'],
      summary: 'Items that suit this user',
      operationId: 'recommend',
      params: Type.Object(UserPath),
      querystring: Type.Object({ ...SearchParameters, ...ExcludeSeen }, strict),
      response: responses('The answer.', Answer),
    },
    handler: ({ params, query }, reply) =>
      collections.get(params.collection).recommend(params.user, { ...query, signal: clientGone(reply) }),
  });
}
