// Copies and near copies among sequences, on either strand: by SHA-256, or by MinHash with locality-sensitive hashing.
import { baseIndex } from './geneticCode';
import { reverseComplement } from './sequence';
import type { NamedSequence } from './shards';

export interface DuplicateOptions {
  /** `exact`: the same letters on either strand, case ignored. `near`: the sets of 16-mers agree to `threshold`. */
  readonly method: 'exact' | 'near';
  /** Smallest estimated Jaccard index of the sets of 16-mers of both strands at which two are near copies, 0.5 to 1; default 0.8, which is about 0.7 substitutions in 100 bases. */
  readonly threshold?: number;
  /** Told of every record that is left out, and of the earlier one that it repeats. */
  readonly onDuplicate?: (record: NamedSequence, earlier: string) => void;
  /** What a record was made from, where several were made from one thing on purpose (both strands or other crops of a window): these share the verdict on the first of them, and are no copies of each other. */
  readonly originOf?: (record: NamedSequence) => object | undefined;
}

const k = 16; // the longest word of two-bit letters that one 32-bit number holds
const bins = 128;
const rows = 4;
const bands = bins / rows;
const empty = 0xffffffff;

/**
 * The MinHash signature of `sequence`: of each of 128 classes of its canonical 16-mers the smallest hash (one permutation, Li, Owen and Zhang 2012), empty classes filled from the next one (Shrivastava and Li 2014).
 * The share of equal places of two signatures estimates the Jaccard index of their sets; its standard deviation is sqrt(J(1-J)/128), at most 0.045.
 * @returns 128 words; all 0xffffffff for a sequence without 16 bases in a row
 */
export function minHash(sequence: Uint8Array): Uint32Array {
  const signature = new Uint32Array(bins).fill(empty);
  let forward = 0;
  let backward = 0;
  let known = 0;
  for (let i = 0; i < sequence.length; i++) {
    const base = digit[sequence[i]];
    if (base === 4) {
      known = 0;
      continue;
    }
    forward = ((forward << 2) | base) >>> 0;
    backward = ((backward >>> 2) | ((3 - base) << 30)) >>> 0;
    if (++known < k) continue;
    const hash = mix(forward < backward ? forward : backward);
    const bin = hash >>> 25;
    if (hash < signature[bin]) signature[bin] = hash;
  }
  return densify(signature);
}

/** A base's number in the order A, C, G, T; 4 for everything else. */
const digit = Uint8Array.from(baseIndex, (index) => [3, 1, 0, 2, 4][index]);

/** The finaliser of MurmurHash3: every bit of the word reaches every bit of the hash. */
function mix(word: number): number {
  let hash = word ^ (word >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function densify(signature: Uint32Array): Uint32Array {
  if (signature.every((word) => word === empty)) return signature;
  return signature.map((word, bin) => {
    for (let distance = 0; ; distance++) {
      const other = signature[(bin + distance) % bins];
      if (other !== empty) return distance === 0 ? word : mix((other + Math.imul(distance, 0x9e3779b1)) >>> 0);
    }
  });
}

/** Share of equal places of two signatures: an estimate of the Jaccard index. */
export function similarity(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let i = 0; i < bins; i++) if (a[i] === b[i]) equal++;
  return equal / bins;
}

/**
 * `records` without those that repeat an earlier one, in their order.
 * Near copies are found among those that share one of 32 bands of four places: of pairs with Jaccard index J, 1 - (1 - J^4)^32 share one (0.9999 at 0.8, 0.87 at 0.5). Memory is about 3 kB a kept record for `near`, 0.2 kB for `exact`.
 * Sequences without 16 bases in a row are only compared exactly.
 */
export async function* removeDuplicates<T extends NamedSequence>(records: AsyncIterable<T> | Iterable<T>, { method, threshold = 0.8, onDuplicate, originOf }: DuplicateOptions): AsyncGenerator<T, void, undefined> {
  if (method !== 'exact' && method !== 'near') throw new TypeError(`removeDuplicates: expected the method exact or near, got ${String(method)}; choose one`);
  if (!(threshold >= 0.5 && threshold <= 1)) throw new RangeError(`removeDuplicates: expected a threshold of 0.5 to 1, got ${threshold}; 0.8 is the default`);
  const exact = new Map<string, string>();
  const near = new NearIndex(threshold);
  const copied = new WeakMap<object, string | undefined>(); // by origin: the earlier record, undefined where there is none
  for await (const record of records) {
    const origin = originOf?.(record);
    if (origin && copied.has(origin)) {
      const earlier = copied.get(origin);
      if (earlier === undefined) yield record;
      else onDuplicate?.(record, earlier);
      continue;
    }
    const signature = method === 'near' ? minHash(record.sequence) : undefined;
    const hasWords = signature !== undefined && signature[0] !== empty;
    const key = hasWords ? '' : await strandlessSum(record.sequence);
    const earlier = hasWords ? near.find(signature) : exact.get(key);
    if (origin) copied.set(origin, earlier);
    if (earlier !== undefined) {
      onDuplicate?.(record, earlier);
      continue;
    }
    if (hasWords) near.add(signature, record.name);
    else exact.set(key, record.name);
    yield record;
  }
}

/** SHA-256 of the smaller of both strands in upper case. */
async function strandlessSum(sequence: Uint8Array): Promise<string> {
  const forward = sequence.map((byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte));
  const backward = reverseComplement(forward);
  let differs = 0;
  while (differs < forward.length && forward[differs] === backward[differs]) differs++;
  const smaller = forward[differs] <= backward[differs] ? forward : backward;
  return String.fromCharCode(...new Uint16Array(await crypto.subtle.digest('SHA-256', smaller as Uint8Array<ArrayBuffer>)));
}

/** Signatures by their bands. A class because it grows with every record. */
class NearIndex {
  private readonly buckets = new Map<number, number | number[]>();
  private readonly signatures: Uint32Array[] = [];
  private readonly names: string[] = [];

  constructor(private readonly threshold: number) {}

  find(signature: Uint32Array): string | undefined {
    for (let band = 0; band < bands; band++) {
      const bucket = this.buckets.get(bandKey(signature, band));
      for (const candidate of typeof bucket === 'number' ? [bucket] : bucket ?? []) if (similarity(signature, this.signatures[candidate]) >= this.threshold) return this.names[candidate];
    }
    return undefined;
  }

  add(signature: Uint32Array, name: string): void {
    const place = this.signatures.push(signature) - 1;
    this.names.push(name);
    for (let band = 0; band < bands; band++) {
      const key = bandKey(signature, band);
      const bucket = this.buckets.get(key);
      if (bucket === undefined) this.buckets.set(key, place);
      else if (typeof bucket === 'number') this.buckets.set(key, [bucket, place]);
      else bucket.push(place);
    }
  }
}

function bandKey(signature: Uint32Array, band: number): number {
  let hash = band;
  for (let row = 0; row < rows; row++) hash = mix((hash ^ signature[band * rows + row]) >>> 0);
  return band * 2 ** 32 + hash;
}
