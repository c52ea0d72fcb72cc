/** What the speeds of exact search are called in a result. */
export const exactNames = {
  single: 'nigh FlatIndex, searchSync',
  batch: (threads: number) => `nigh FlatIndex, searchBatch, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  peer: 'hnswlib-node BruteforceSearch',
} as const;
