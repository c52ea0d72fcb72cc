import { Type } from 'typebox';
import { Answer, SimilarUsers } from '../answer-schemas.js';
import { ExcludeSeen, SearchParameters, strict, UserPath, UserSearchParameters } from '../parameters.js';
import { requestSignal } from '../request-signal.js';
import { responses } from '../schemas.js';
import { searchOptions } from '../search-options.js';
import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

/** Items that suit a user, and users like one. */
export function addUserRoutes(app: ServiceApp, collections: ServedCollections, deadlineMs: number): void {
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
      collections.ask(params.collection, (collection) =>
        collection.recommend(params.user, { ...searchOptions(query), signal: requestSignal(reply, deadlineMs) }),
      ),
  });

  app.route({
    method: 'GET',
    url: '/collections/:collection/users/:user/similar',
    schema: {
      tags: ['users'],
      summary: 'Users like this user',
      operationId: 'similarUsers',
      params: Type.Object(UserPath),
      querystring: Type.Object(UserSearchParameters, strict),
      response: responses('The answer.', SimilarUsers),
    },
    handler: ({ params, query }, reply) =>
      collections.use(params.collection, (collection) =>
        collection.similarUsers(params.user, { ...query, signal: requestSignal(reply, deadlineMs) }),
      ),
  });
}
