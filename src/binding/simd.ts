import { native } from './native.js';
import { callNative } from './native-error.js';

/**
 * Which instruction set the native kernels use (`scalar`, `avx2`, `avx512` or `neon`), and which this processor and
 * build have. Chosen once, from the processor or the environment variable NIGH_SIMD.
 * @throws NighError SIMD_UNSUPPORTED when NIGH_SIMD names a level that is not available
 */
export function simd(): { readonly level: string; readonly available: readonly string[] } {
  return callNative(() => native().simd());
}
