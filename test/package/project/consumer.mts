// What TypeScript sees of an installed nigh.
import { HnswIndex, NighError, Retriever, type SearchResult } from 'nigh';
import { FlatIndex } from 'nigh/index';
import { NighClient } from 'nigh/client';
import { evaluateRanking } from 'nigh/evaluation';
import { registerEmbedding } from 'nigh/embeddings';
import { buildApp } from 'nigh/service';

const index: HnswIndex = await HnswIndex.build({ data: new Float32Array(4), rows: 2, dim: 2 }, { metric: 'l2' });
const found: SearchResult = await index.search(new Float32Array(2), 1);
console.log(found.ids, NighError, Retriever, FlatIndex, NighClient, evaluateRanking, registerEmbedding, buildApp);
// @ts-expect-error a metric that does not exist
await HnswIndex.build({ data: new Float32Array(4), rows: 2, dim: 2 }, { metric: 'euclid' });
