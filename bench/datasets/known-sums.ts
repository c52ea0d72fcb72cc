/** SHA-256 of the rows of the datasets, as little-endian float32: what their figures are about. Trained factors have none, since sums of floats differ between machines. */
export const knownSums: Readonly<Record<string, { readonly base: string; readonly queries: string }>> = {
  'clustered-1m-128': {
    base: 'da73af3a766bdbfc9856430633180bba995c65e35ad0399215e42680f5bb6100',
    queries: 'fa59b3d74d1e741e1b540c9c520f9824e0b90b9f5d49034c3672edb582dfc06c',
  },
  'glove-6b-100d': {
    base: 'bc3ff8ce7e69cae1b5838164dc27afd39f7058d96805f730e729565493118daf',
    queries: 'b4d94a8331a8096fb96f64fc4f23e9286c7010d04fb55448bc4b8469a22c6be1',
  },
  'ip-log-normal': {
    base: '37f8777abbc51c04d317e88c36f1ec3a1ed11e8cf7706da3b49505d4c5aa3eb9',
    queries: 'afd2463b5f65d3969819aff6ed046f7096651ecc1924bab87b83710575f6f0cf',
  },
  'ip-pareto': {
    base: '87ce1355c213577853b066fbe98896b98052b85400359750a80a033eb37d5773',
    queries: '4b8fcca3a788ed34eba00b69137f60d365dcd2e0ba09a3c854f0e7637846c782',
  },
  'mnist-784': {
    base: 'c7b188f3f8a3bfaf57c163786840c505802afb694bd6a802299157d7ab837fc7',
    queries: 'c259c1106d95a61666273919e6a5ead79e444e78f51af66d7a502ec200874e11',
  },
  tiny: {
    base: 'eeb9307e8b03b21ce3ab9dc9cef45617c9f8a7e5cc2c012d1ea62b03e4541512',
    queries: 'b6b994f3a747c2111855abd166bee85132a288f707093fcdc97796095d592adc',
  },
};
