// Fingerprints: 64 bits in 16 hexadecimal digits, to tell weights, settings and vocabularies apart. Not cryptographic: nobody is kept from making two of the same.

const { imul } = Math; // looked up once: in jest's contexts a global costs a microsecond, and checkpoints have 100 million words

/** Two 32-bit FNV-1a lanes over little-endian words, with different primes, each mixed at the end as in MurmurHash3. */
export function hashBytes(bytes: Uint8Array): string {
  const whole = bytes.byteLength >>> 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [a, b] = [0x811c9dc5 ^ bytes.byteLength, 0x9747b28c];
  const mix = (word: number) => {
    a = imul(a ^ word, 0x01000193);
    b = imul(((b << 13) | (b >>> 19)) ^ word, 0x85ebca6b);
  };
  for (let i = 0; i < whole; i++) mix(view.getUint32(4 * i, true));
  for (let i = 4 * whole; i < bytes.byteLength; i++) mix(bytes[i]);
  return [finish(a), finish(b ^ a)].map((lane) => lane.toString(16).padStart(8, '0')).join('');
}

export const hashText = (text: string): string => hashBytes(new TextEncoder().encode(text));

function finish(lane: number): number {
  let x = lane;
  x = imul(x ^ (x >>> 16), 0x85ebca6b);
  x = imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
