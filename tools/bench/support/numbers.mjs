/** The same numbers in every language, in [-scale, scale): an integer hash (lowbias32 of Chris Wellons), which torchPeer.py has too. */
export function numbers(seed, count, scale = 0.5) {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = (i + Math.imul(seed, 0x9e3779b9)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
    values[i] = (((h ^ (h >>> 15)) >>> 8) / 2 ** 23 - 1) * scale;
  }
  return values;
}
