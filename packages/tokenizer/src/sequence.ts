/** The forms in which DNA comes: text, bytes, two bits a base. */
import { show } from './errors';

/** DNA at two bits a base, four bases a byte, the first in the highest bits, as in UCSC's .2bit files. */
export interface PackedDna {
  readonly packed: Uint8Array;
  /** Bases in it. */
  readonly length: number;
  /** Which bases 0, 1, 2, 3 are. Default `TCAG`, as in .2bit files. */
  readonly bases?: string | undefined;
}

/** DNA as a string, as ASCII bytes, or packed. */
export type Sequence = string | Uint8Array | PackedDna;

export const isPacked = (value: unknown): value is PackedDna =>
  typeof value === 'object' && value !== null && 'packed' in value && value.packed instanceof Uint8Array;

/** Writes bases `[at, at + count)` of packed DNA as ASCII. */
export function unpack({ packed, bases = 'TCAG' }: PackedDna, bytes: Uint8Array, at: number, count: number): void {
  const letters = Uint8Array.from(bases, (base) => base.charCodeAt(0));
  for (let i = 0; i < count; i++) bytes[i] = letters[(packed[(at + i) >>> 2] >>> (6 - 2 * ((at + i) & 3))) & 3];
}

/** The letters of a sequence. @throws TypeError for anything else, RangeError for bytes that are not ASCII */
export function toText(sequence: Sequence): string {
  if (typeof sequence === 'string') return sequence;
  checkSequence(sequence);
  if (isPacked(sequence)) {
    const bytes = new Uint8Array(sequence.length);
    unpack(sequence, bytes, 0, sequence.length);
    return new TextDecoder().decode(bytes);
  }
  for (let i = 0; i < sequence.length; i++) {
    if (sequence[i] > 127) throw new RangeError(`encode: expected ASCII bytes, got 0x${sequence[i].toString(16)} at ${i}; pass a string for other text`);
  }
  return new TextDecoder().decode(sequence);
}

/** @throws TypeError for what is no sequence, RangeError for packed DNA that does not hold what it says */
export function checkSequence(sequence: Sequence): void {
  if (typeof sequence === 'string' || sequence instanceof Uint8Array) return;
  if (!isPacked(sequence)) throw new TypeError(`encode: expected a string, a Uint8Array of ASCII or packed DNA, got ${show(sequence)}; pass the letters of one sequence`);
  const { length, packed, bases = 'TCAG' } = sequence;
  if (!Number.isInteger(length) || length < 0 || length > 4 * packed.length) throw new RangeError(`encode: expected a length from 0 to ${4 * packed.length} bases for ${packed.length} packed bytes, got ${show(length)}; count the bases`);
  // eslint-disable-next-line no-control-regex -- the range is ASCII
  if (!/^[\x00-\x7f]{4}$/.test(bases)) throw new RangeError(`encode: expected four ASCII letters for the bases, got ${show(bases)}; leave it out for TCAG`);
}

/** @throws TypeError for one sequence in place of many, and for what cannot be iterated over; `what` names them, such as `chunks` */
export function checkSequences(caller: string, sequences: unknown, what = 'sequences'): void {
  if (typeof sequences === 'string' || sequences instanceof Uint8Array || isPacked(sequences)) throw new TypeError(`${caller}: expected an iterable of ${what}, got one sequence; put it into an array`);
  const { [Symbol.iterator]: each, [Symbol.asyncIterator]: eachAsync } = (sequences ?? {}) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  if (!each && !eachAsync) throw new TypeError(`${caller}: expected an iterable of ${what}, got ${show(sequences)}; pass an array, or a generator that reads them`);
}
