/** `nigh/client`: asks a running service. Loads neither the core nor Fastify; it runs wherever `fetch` does. */
export {
  type AnswerOrProblem,
  type ClientOptions,
  CollectionClient,
  NighClient,
  type Reload,
} from './client.js';
export { type ParameterFault, ServiceError } from './problem.js';
