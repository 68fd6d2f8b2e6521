// Facts about a single sequence.

/** IUPAC nucleotide codes (NC-IUB 1984) and their complements; gaps stay gaps. */
const letters = 'ACGTURYSWKMBDHVNacgturyswkmbdhvn-.';
const paired = 'TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn-.';
/** 0 where a byte has no complement. */
const complements = Uint8Array.from({ length: 256 }, (_, byte) => paired.charCodeAt(letters.indexOf(String.fromCharCode(byte))) || 0);

/**
 * The other strand, read 5' to 3'. IUPAC ambiguity codes are complemented, case is kept, `-` and `.` stay, U becomes A (so RNA comes back as DNA).
 * @param sequence - a string or ASCII bytes; the result is of the same type.
 * @throws RangeError for a letter that is no nucleotide code, naming it and its 0-based position.
 */
export function reverseComplement(sequence: string): string;
export function reverseComplement(sequence: Uint8Array): Uint8Array;
export function reverseComplement(sequence: string | Uint8Array): string | Uint8Array;
export function reverseComplement(sequence: string | Uint8Array): string | Uint8Array {
  const { length } = sequence;
  const isText = typeof sequence === 'string';
  const result = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const code = isText ? sequence.charCodeAt(i) : sequence[i];
    const other = code < 256 ? complements[code] : 0;
    if (other === 0) throw new RangeError(`reverseComplement: expected IUPAC nucleotide codes, got ${JSON.stringify(String.fromCharCode(code))} at position ${i}; remove or mask it`);
    result[length - 1 - i] = other;
  }
  return isText ? new TextDecoder('latin1').decode(result) : result;
}
