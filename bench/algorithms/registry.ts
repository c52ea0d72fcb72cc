import type { Algorithm } from './algorithm.js';
import { hnswlibNode } from './hnswlib-node.js';
import { isInstalled } from './installed.js';
import { nighHnsw } from './nigh-hnsw.js';

/** Ours, by the key under which a child process finds it again. */
const ours: ReadonlyMap<string, () => Promise<Algorithm>> = new Map([
  ['nigh', () => Promise.resolve(nighHnsw({}))],
  ['nigh-m16', () => Promise.resolve(nighHnsw({ M: 16 }))],
]);

/** The peers, with the package each of them needs; loaded only when asked for. */
const peers: ReadonlyMap<string, { readonly package: string; readonly load: () => Promise<Algorithm> }> = new Map([
  ['hnswlib-node', { package: 'hnswlib-node', load: () => Promise.resolve(hnswlibNode(16, 200)) }],
  ['usearch', { package: 'usearch', load: async () => (await import('./usearch.js')).usearch(16, 200) }],
  ['zvec', { package: '@zvec/zvec', load: async () => (await import('./zvec.js')).zvecHnsw(16, 200) }],
]);

export const ourKeys = [...ours.keys()];
export const peerKeys = [...peers.keys()];

/** hnswlib-node: what every ratio is to. */
export const baselineKey = 'hnswlib-node';

/** The peers whose packages are here. */
export function installedPeers(): string[] {
  return peerKeys.filter((key) => isInstalled(peers.get(key)!.package));
}

/** @throws Error for a key that is none */
export async function algorithm(key: string): Promise<Algorithm> {
  const load = ours.get(key) ?? peers.get(key)?.load;
  if (load === undefined) throw new Error(`unknown engine ${key}; known: ${[...ourKeys, ...peerKeys].join(', ')}`);
  return load();
}
