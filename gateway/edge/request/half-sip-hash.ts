// HalfSipHash-2-4 with 64 bits of output over a string's UTF-16 units: a hash that nobody can aim without its key.
// For tables that strangers fill. Not a signature: 64 bits are no proof of anything.
// Source: SipHash by Aumasson and Bernstein, its reference code for 32-bit words.

/** The two halves of the last `halfSipHash`: a pair without an object per call. */
export const digest = new Int32Array(2);

/** Hashes into `digest`. @param k0  first half of the key; `k1` the second */
export function halfSipHash(text: string, k0: number, k1: number): void {
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  const units = text.length;
  const whole = units & ~1;
  // one more word than the text fills: the rest of it, and its length in bytes in the highest byte
  for (let index = 0; index <= whole; index += 2) {
    const isLast = index === whole;
    const high = isLast ? (units << 9) & 0xff00 : text.charCodeAt(index + 1);
    const word = (index < units ? text.charCodeAt(index) : 0) | (high << 16);
    v3 ^= word;
    for (let round = 0; round < 2; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  v2 ^= 0xee;
  for (let half = 0; half < 2; half++) {
    for (let round = 0; round < 4; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    digest[half] = v1 ^ v3;
    v1 ^= 0xdd;
  }
}
