export type { Column, Dataset, DatasetOrigin } from './dataset.js';
export {
  type BuilderOptions,
  DatasetBuilder,
  type ItemAttributes,
  type MergePolicy,
  type UnknownItemPolicy,
} from './dataset-builder.js';
export { cacheDirectory, dataDirectory } from './fetch/cache.js';
export { fetchDataset, findDataset, type LocatedDataset, locateDataset } from './fetch/locate.js';
export {
  type FileDelivery,
  type NamedDataset,
  type NpmDelivery,
  namedDataset,
  namedDatasets,
  type ZipDelivery,
} from './fetch/named-datasets.js';
export { filterInteractions, type InteractionFilter, parseInteractionFilter } from './interaction-filter.js';
export type { FetchContext, LoadContext, LoadProgress } from './load-context.js';
export { maxPictureBytes, type PictureSource } from './picture-source.js';
export { openmojiPicture } from './sources/openmoji-pictures.js';
export { type DatasetSpec, loadDataset, parseDatasetSpec, sourceNames } from './sources/registry.js';
export type { DatasetSource } from './sources/source.js';
export {
  isVectorFile,
  type ReadVectorsOptions,
  readVectors,
  type VectorFileOptions,
  type WrittenVectors,
  writeVectors,
} from './vector-files/registry.js';
export type { VectorIds, VectorPlaces, VectorTable } from './vector-files/vector-file.js';
export { hasGlove } from './word-vectors/glove-package.js';
export { readWordVectors, type WordFilter, type WordVectors } from './word-vectors/word-vectors.js';
