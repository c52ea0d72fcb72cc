/** `nigh/client`: asks a running service. Loads neither the core nor Fastify; it runs wherever `fetch` does. */
export type { InteractionInput, ItemFields } from '../retrieval/live/item-fields.js';
export type { Efforts, Reload, SpaceMap } from '../retrieval/types.js';
export { type ClientOptions, NighClient } from './client.js';
export { type AnswerOrProblem, type ChangeOptions, CollectionClient, type Removed } from './collection-client.js';
export { type ParameterFault, ServiceError } from './problem.js';
