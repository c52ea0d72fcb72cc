/** The part of the addon's interface that trains linear models and models of choices; the rest is in native.ts. */
import type { CsrArguments, NativeTaskControl } from './native.js';

export interface NativeModels {
  sparseProduct(
    ...args: [
      ...sparse: CsrArguments,
      dense: Float32Array,
      rows: number,
      dim: number,
      threads: number,
      out: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  easeWeights(
    ...args: [
      ...interactions: CsrArguments,
      regularization: number,
      threads: number,
      out: Float32Array,
      diagonal: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  denseProject(
    rows: Float32Array,
    count: number,
    dim: number,
    basis: Float32Array,
    directions: number,
    basisDim: number,
    threads: number,
    out: Float32Array,
    control: NativeTaskControl | null,
  ): Promise<void>;
  ridgeMap(
    features: Float32Array,
    rows: number,
    dim: number,
    weights: Float32Array,
    targets: Float32Array,
    targetRows: number,
    targetDim: number,
    regularization: number,
    threads: number,
    map: Float32Array,
    control: NativeTaskControl | null,
  ): Promise<void>;
  denseSvd(
    matrix: Float32Array,
    rows: number,
    dim: number,
    rank: number,
    oversampling: number,
    powerIterations: number,
    seed: number,
    threads: number,
    u: Float32Array,
    s: Float32Array,
    v: Float32Array,
    control: NativeTaskControl | null,
  ): Promise<void>;
  bprTrain(
    ...args: [
      ...interactions: CsrArguments,
      factors: number,
      epochs: number,
      learningRate: number,
      regularization: number,
      initStddev: number,
      seed: number,
      threads: number,
      users: Float32Array,
      items: Float32Array,
      userBiases: Float32Array,
      itemBiases: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  nmfTrain(
    ...args: [
      ...matrix: CsrArguments,
      factors: number,
      iterations: number,
      regularization: number,
      observedOnly: boolean,
      seed: number,
      threads: number,
      users: Float32Array,
      items: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  nmfFoldIn(
    ...args: [
      ...matrix: CsrArguments,
      items: Float32Array,
      rows: number,
      dim: number,
      gramian: Float32Array | null,
      regularization: number,
      observedOnly: boolean,
      threads: number,
      users: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  sppmi(
    ...args: [
      ...interactions: CsrArguments,
      negatives: number,
      longestHistory: number,
      threads: number,
      control: NativeTaskControl | null,
    ]
  ): Promise<{ readonly offsets: Uint32Array; readonly columns: Uint32Array; readonly values: Float32Array }>;
}
