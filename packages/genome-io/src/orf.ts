// Open reading frames in six frames, under a definition that the caller names: programs differ in it, and counts with them.
import { aminoAcidAt, codonIndex, codons, geneticCode, isStop } from './geneticCode';
import { reverseComplement } from './sequence';
import { asciiBytes } from './translate';

/** `start-to-stop`: from the first start codon after a stop (getorf -find 1). `stop-to-stop`: everything between two stops (getorf -find 0). */
export type OrfDefinition = 'start-to-stop' | 'stop-to-stop';

export interface OrfOptions {
  /** Default `start-to-stop`. */
  readonly definition?: OrfDefinition;
  /** NCBI's number of the genetic code; default 1. */
  readonly table?: number;
  /** Which codons start: `ATG` alone (the default, getorf's table 0), all that the `table` lists, or these. */
  readonly startCodons?: 'ATG' | 'table' | readonly string[];
  /** Shortest in bases, without the stop codon; default 30. */
  readonly minLength?: number;
  /** Also those that the ends of the sequence cut, as getorf does; default true. */
  readonly openEnds?: boolean;
  /** Default both. */
  readonly strands?: 'both' | '+' | '-';
}

export interface Orf {
  /** 0-based, on the given strand of the sequence as it was passed. */
  readonly start: number;
  /** Half-open. The stop codon is not included. */
  readonly end: number;
  readonly strand: '+' | '-';
  /** 0, 1 or 2: how many bases of its strand come before the first codon of this frame. */
  readonly frame: 0 | 1 | 2;
  /** Whether a stop codon follows; false where the sequence ends first. */
  readonly hasStop: boolean;
  /** Whether it begins with a start codon (`start-to-stop`) or after a stop codon (`stop-to-stop`); false where the sequence begins within it. */
  readonly hasStart: boolean;
  /** The definition under which it is one. */
  readonly definition: OrfDefinition;
}

/**
 * All open reading frames of `sequence`, by strand, frame and place. Ambiguous codons are read as {@link translate} reads them: TAR is a stop, NNN is not; start codons are never ambiguous.
 * @throws RangeError for letters that are no nucleotide codes, an unknown table, a start codon that is none.
 */
export function findOrfs(sequence: string | Uint8Array, options: OrfOptions = {}): Orf[] {
  const { definition = 'start-to-stop', table = 1, minLength = 30, openEnds = true, strands = 'both' } = options;
  if (definition !== 'start-to-stop' && definition !== 'stop-to-stop') throw new TypeError(`findOrfs: expected the definition 'start-to-stop' or 'stop-to-stop', got ${String(definition)}; choose one`);
  if (!(minLength >= 0)) throw new RangeError(`findOrfs: expected minLength in bases, 0 or more, got ${minLength}; 30 is the default`);
  const code = geneticCode(table);
  const rules: Rules = { definition, minLength, openEnds, aminoAcids: code.aminoAcids, isStart: startTable(options.startCodons ?? 'ATG', code.startCodons) };
  const forward = typeof sequence === 'string' ? asciiBytes(sequence) : sequence;
  const found: Orf[] = [];
  for (const strand of ['+', '-'] as const) {
    if (strands !== 'both' && strands !== strand) continue;
    const dna = strand === '+' ? forward : reverseComplement(forward);
    for (const frame of [0, 1, 2] as const) {
      for (const { start, end, hasStart, hasStop } of scanFrame(dna, frame, rules)) {
        const place = strand === '+' ? { start, end } : { start: dna.length - end, end: dna.length - start };
        found.push({ ...place, strand, frame, hasStart, hasStop, definition });
      }
    }
  }
  return found;
}

interface Rules {
  readonly definition: OrfDefinition;
  readonly minLength: number;
  readonly openEnds: boolean;
  readonly aminoAcids: string;
  readonly isStart: Uint8Array;
}

function startTable(wanted: NonNullable<OrfOptions['startCodons']>, listed: readonly string[]): Uint8Array {
  const isStart = new Uint8Array(64);
  for (const codon of wanted === 'ATG' ? ['ATG'] : wanted === 'table' ? listed : wanted) {
    const index = codons.indexOf(codon.toUpperCase().replaceAll('U', 'T'));
    if (index < 0) throw new RangeError(`findOrfs: expected start codons of A, C, G and T, got ${JSON.stringify(codon)}; 'ATG' and 'table' are the usual choices`);
    isStart[index] = 1;
  }
  return isStart;
}

function* scanFrame(dna: Uint8Array, frame: number, { definition, minLength, openEnds, aminoAcids, isStart }: Rules) {
  const between = definition === 'stop-to-stop';
  let start = between && openEnds ? frame : -1;
  let hasStart = false;
  let at = frame;
  for (; at + 3 <= dna.length; at += 3) {
    const aminoAcid = aminoAcidAt(aminoAcids, dna, at);
    if (aminoAcid === 0) throw new RangeError(`findOrfs: expected IUPAC nucleotide codes, got ${JSON.stringify(String.fromCharCode(...dna.subarray(at, at + 3)))} at position ${at} of its strand; remove gaps and other letters`);
    if (isStop(aminoAcid)) {
      if (start >= 0 && at - start >= minLength && at > start) yield { start, end: at, hasStart, hasStop: true };
      start = between ? at + 3 : -1;
      hasStart = between;
    } else if (start < 0 && !between) {
      const index = codonIndex(dna, at);
      if (index >= 0 && isStart[index]) {
        start = at;
        hasStart = true;
      }
    }
  }
  if (openEnds && start >= 0 && at - start >= minLength && at > start) yield { start, end: at, hasStart, hasStop: false };
}
