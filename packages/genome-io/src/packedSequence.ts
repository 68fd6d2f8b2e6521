// DNA at two bits a base, as .2bit files store it: four bases a byte, the first in the highest bits; runs of N and of lower case (soft-masking) apart.

/** Intervals that neither touch nor overlap, ascending: start, end, start, end …, 0-based and half-open. */
export type Runs = Uint32Array;

export interface PackedSequence {
  /** In bases. */
  readonly length: number;
  /** `ceil(length / 4)` bytes; T is 0, C 1, A 2, G 3; N and padding are 0. */
  readonly bases: Uint8Array;
  readonly unknown: Runs;
  /** Where the letters are lower case. */
  readonly masked: Runs;
}

export interface PackOptions {
  /** What becomes of ambiguity codes other than N, which two bits cannot hold; default `error`. */
  readonly iupac?: 'error' | 'N';
}

const letters = 'TCAG';
const bad = 255;
const unknownCode = 4;
const otherCode = 5;
/** Code of each letter: 0 to 3 a base, 4 N, 5 another ambiguity code. U is read as T. */
const codes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte).toUpperCase();
  if (byte > 127) return bad;
  if (letters.includes(letter)) return letters.indexOf(letter);
  return letter === 'U' ? 0 : letter === 'N' ? unknownCode : 'RYSWKMBDHV'.includes(letter) ? otherCode : bad;
});
/** Four letters for each byte, as one little- or big-endian word of this machine. */
const words = new Uint32Array(Uint8Array.from({ length: 1024 }, (_, i) => letters.charCodeAt(((i >> 2) >> (6 - 2 * (i & 3))) & 3)).buffer);

/**
 * Packs `sequence`; {@link unpackSequence} gives it back, except that U comes back as T.
 * @throws RangeError for letters that are no nucleotide codes, and for ambiguity codes unless `iupac` is `N`.
 */
export function packSequence(sequence: Uint8Array, { iupac = 'error' }: PackOptions = {}): PackedSequence {
  const { length } = sequence;
  const bases = new Uint8Array(Math.ceil(length / 4));
  const unknown: number[] = [];
  const masked: number[] = [];
  let inUnknown = false;
  let inMasked = false;
  for (let i = 0; i < length; i++) {
    const byte = sequence[i];
    let code = codes[byte];
    if (code > unknownCode) {
      if (code === bad || iupac === 'error') throw new RangeError(`packSequence: expected A, C, G, T, U or N, got ${JSON.stringify(String.fromCharCode(byte))} at position ${i}; ${code === bad ? 'remove it' : "pass {iupac: 'N'} to store it as N"}`);
      code = unknownCode;
    }
    if ((code === unknownCode) !== inUnknown) {
      unknown.push(i);
      inUnknown = !inUnknown;
    }
    if (byte >= 97 !== inMasked) {
      masked.push(i);
      inMasked = !inMasked;
    }
    bases[i >> 2] |= (code & 3) << (6 - 2 * (i & 3));
  }
  if (inUnknown) unknown.push(length);
  if (inMasked) masked.push(length);
  return { length, bases, unknown: Uint32Array.from(unknown), masked: Uint32Array.from(masked) };
}

/**
 * The letters from `start` (0-based) up to but not including `end`, as ASCII.
 * @throws RangeError for an interval outside of the sequence.
 */
export function unpackSequence(packed: PackedSequence, start = 0, end = packed.length): Uint8Array {
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= packed.length)) {
    throw new RangeError(`unpackSequence: expected 0 <= start <= end <= ${packed.length}, got ${start} and ${end}; positions are 0-based and half-open`);
  }
  return unpackBases(packed.bases.subarray(start >> 2, Math.ceil(end / 4)), packed.unknown, packed.masked, start, end);
}

/** The same when `bases` begins with the byte that holds `start`. */
export function unpackBases(bases: Uint8Array, unknown: Runs, masked: Runs, start: number, end: number): Uint8Array {
  const first = start & ~3;
  const four = new Uint32Array(bases.length);
  for (let i = 0; i < bases.length; i++) four[i] = words[bases[i]];
  const sequence = new Uint8Array(four.buffer).subarray(start - first, end - first);
  for (const { from, to } of overlaps(unknown, start, end)) sequence.fill(78, from - start, to - start);
  for (const { from, to } of overlaps(masked, start, end)) for (let i = from - start; i < to - start; i++) sequence[i] |= 32;
  return sequence;
}

function* overlaps(runs: Runs, start: number, end: number) {
  let low = 0;
  let high = runs.length / 2;
  while (low < high) { // the first run that ends after start
    const middle = (low + high) >>> 1;
    if (runs[2 * middle + 1] <= start) low = middle + 1;
    else high = middle;
  }
  for (let run = low; 2 * run < runs.length && runs[2 * run] < end; run++) yield { from: Math.max(start, runs[2 * run]), to: Math.min(end, runs[2 * run + 1]) };
}
