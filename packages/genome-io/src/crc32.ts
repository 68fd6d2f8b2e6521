import { nodeModule } from './nodeModule';

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of RFC 1952, section 8, continued from `seed`. */
export function crc32Portable(bytes: Uint8Array, seed = 0): number {
  let value = ~seed;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ table[(value ^ bytes[i]) & 255];
  return ~value >>> 0;
}

/** The same through Node's zlib where there is one (2.6 GB/s against 0.25). */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const zlib = nodeModule('node:zlib');
  return zlib ? zlib.crc32(bytes, seed) : crc32Portable(bytes, seed);
}
