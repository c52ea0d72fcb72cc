const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bits of the float16 nearest to a number, ties to even; what is too large becomes infinite. */
export function float16Bits(value: number): number {
  float[0] = value;
  const all = bits[0]!;
  const sign = (all >>> 16) & 0x8000;
  const magnitude = all & 0x7fff_ffff;
  // NaN stays NaN; from 65520 on, half way to 2^16, the nearest is infinite.
  if (magnitude >= 0x477f_f000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
  // Below 2^-14 the steps are 2^-24 wide: float32 addition rounds at that very bit when 0.5 is added.
  if (magnitude < 0x3880_0000) {
    float[0] = Math.abs(value) + 0.5;
    return sign | (bits[0]! - 0x3f00_0000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x3800_0000 + 0xfff + odd) >>> 13);
}
