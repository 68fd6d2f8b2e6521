/** Both strands of a sequence. */
import { toText, type Sequence } from './sequence';
import type { EncodeOptions, Encoding, Tokenizer } from './tokenizer';

const complement = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [a, b] of ['AT', 'CG', 'RY', 'KM', 'BV', 'DH']) { // IUPAC; S, W and N are their own complements
  for (const [from, to] of [[a, b], [b, a]]) {
    complement[from.charCodeAt(0)] = to.charCodeAt(0);
    complement[from.toLowerCase().charCodeAt(0)] = to.toLowerCase().charCodeAt(0);
  }
}

/**
 * Encodes a sequence and its reverse complement. The offsets of both count in the given sequence, so that a token of the reverse strand
 * at 3 to 7 stands for the complement of bases 3 to 7, read backwards.
 */
export function encodeBothStrands(tokenizer: Pick<Tokenizer, 'encodeWithOffsets'>, sequence: Sequence, options: Omit<EncodeOptions, 'pair'> = {}): { readonly forward: Encoding; readonly reverse: Encoding } {
  const text = toText(sequence), bytes = new TextEncoder().encode(text).reverse();
  for (let i = 0; i < bytes.length; i++) bytes[i] = complement[bytes[i]];
  const reverse = tokenizer.encodeWithOffsets(bytes, options);
  for (let i = 0; i < reverse.offsets.length; i += 2) {
    const start = reverse.offsets[i], end = reverse.offsets[i + 1];
    if (start === end) continue; // an added special token
    reverse.offsets[i] = text.length - end;
    reverse.offsets[i + 1] = text.length - start;
  }
  return { forward: tokenizer.encodeWithOffsets(text, options), reverse };
}

/** The token of every base, by its index; -1 for bases without one, such as those that `maxLength` has cut. Of overlapping k-mers the last. */
export function baseToToken({ offsets }: Pick<Encoding, 'offsets'>, length: number): Int32Array {
  const tokens = new Int32Array(length).fill(-1);
  for (let i = 0; i < offsets.length; i += 2) tokens.fill(i >> 1, offsets[i], offsets[i + 1]);
  return tokens;
}
