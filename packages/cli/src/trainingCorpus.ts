// Windows of genomes as a model trains on them: places in memory, bases read when they are wanted.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { openFasta, readBed, readGff, reverseComplement, type SequenceFile } from '@genomelm/genome-io';
import { createRandom } from '@genomelm/kernels';
import { UsageError } from './command';
import { openSequences } from './genomeFiles';
import { isGzip, naming, readUserFile, unpacked } from './userFile';
import type { Corpus, HeldOutSequence } from '@genomelm/model';
import type { Tokenizer } from '@genomelm/tokenizer';

export interface GenomeFile {
  readonly path: string;
  readonly file: SequenceFile;
  readonly contigs: readonly { readonly name: string; readonly length: number }[];
}

/** FASTA and 2bit files, read where wanted; a gzipped FASTA is unpacked into memory, for nobody can enter it in the middle. */
export async function openGenomes(paths: readonly string[]): Promise<GenomeFile[]> {
  return Promise.all(paths.map(async (path) => {
    try {
      const file = startsAsGzip(path) ? openFasta(new Uint8Array(readUserFile(path, unpacked))) : await openSequences(path);
      return { path, file, contigs: await file.contigs() };
    } catch (error) {
      throw naming(path, error);
    }
  }));
}

function startsAsGzip(path: string): boolean {
  if (path === '-') return false;
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(2);
    readSync(file, start);
    return isGzip(start);
  } finally {
    closeSync(file);
  }
}

export interface CorpusOptions {
  readonly tokenizer: Tokenizer;
  /** Whether sequences are `[CLS] A` for a decoder or `[CLS] A [SEP]` for an encoder. */
  readonly decoder: boolean;
  /** Bases a window: drawn between them, side by side. */
  readonly window: readonly [shortest: number, longest: number];
  readonly bothStrands: boolean;
  /** What lower-case (soft-masked) tokens count in the loss. */
  readonly repeatWeight: number;
  readonly seed: number;
  onProgress(bases: number): void;
}

interface Place {
  readonly genome: number;
  readonly contig: string;
  readonly start: number;
  readonly end: number;
  readonly reverse: boolean;
}

const letters = new Uint8Array(256);
for (const letter of 'ACGTacgt') letters[letter.charCodeAt(0)] = 1;

/** Stretches without other letters than A, C, G and T of either case. */
function* stretchesOf(bases: Uint8Array): Generator<readonly [start: number, end: number]> {
  for (let end = 0; end < bases.length;) {
    let start = end;
    while (start < bases.length && !letters[bases[start]]) start++;
    end = start;
    while (end < bases.length && letters[bases[end]]) end++;
    if (end > start) yield [start, end];
  }
}

const lowerCaseA = 97;

/** Shorter rests teach next to nothing. */
const shortestRest = 16;

export interface TrainingCorpus extends Corpus {
  readonly bases: number;
  /** Of names and letters of the contigs, in their order. */
  readonly sha256: string;
}

/** All windows of the contigs that `wanted` takes; files are the groups that species stand for. */
export async function openTrainingCorpus(genomes: readonly GenomeFile[], wanted: (contig: string) => boolean, options: CorpusOptions): Promise<TrainingCorpus> {
  const { tokenizer, window: [shortest, longest], bothStrands, repeatWeight, seed, decoder } = options;
  const random = createRandom(seed, 0x57494e44);
  const places: Place[] = [];
  const [lengths, groups]: [number[], number[]] = [[], []];
  const contents = createHash('sha256');
  let bases = 0;
  for (const [genome, { file, contigs }] of genomes.entries()) {
    for (const { name: contig } of contigs.filter(({ name }) => wanted(name))) {
      const all = await file.fetch(contig);
      contents.update(`>${contig}\n`).update(all);
      for (const [from, to] of stretchesOf(all)) {
        for (let start = from; start < to;) {
          const end = Math.min(to, start + shortest + random.integer(longest - shortest + 1));
          if (end - start >= shortestRest) {
            for (const reverse of bothStrands ? [false, true] : [false]) {
              const own = all.subarray(start, end);
              places.push({ genome, contig, start, end, reverse });
              lengths.push(encode(tokenizer, reverse ? reverseComplement(own) : own, decoder).length);
              groups.push(genome);
            }
            bases += end - start;
          }
          start = end;
        }
      }
      options.onProgress(bases);
    }
  }
  if (!places.length) throw new UsageError(`pretrain: expected ${shortestRest} bases in a row or more to train on, got none in ${genomes.map(({ path }) => path).join(', ')}; are all contigs held out?`);
  return {
    lengths, groups, bases, sha256: contents.digest('hex'),
    async read(i) {
      const { genome, contig, start, end, reverse } = places[i];
      const own = await genomes[genome].file.fetch(contig, start, end, { strand: reverse ? '-' : '+' });
      if (repeatWeight === 1) return { inputIds: encode(tokenizer, own, decoder) };
      const { inputIds, first, count } = encodeWithPlaces(tokenizer, own, decoder);
      return { inputIds, weights: Array.from(first, (at, i) => (count[i] > 0 && own[at] >= lowerCaseA ? repeatWeight : 1)) };
    },
  };
}

const framed = (ids: Uint32Array, { specialIds: { cls } }: Tokenizer, decoder: boolean): Uint32Array => (decoder && cls !== undefined ? Uint32Array.from([cls, ...ids]) : ids);

const encode = (tokenizer: Tokenizer, bases: Uint8Array, decoder: boolean): Uint32Array =>
  framed(tokenizer.encode(bases, { addSpecialTokens: !decoder, case: 'upper' }), tokenizer, decoder);

/** With the first base of each token, and how many bases it has that the token before has not; 0 for special tokens. */
function encodeWithPlaces(tokenizer: Tokenizer, bases: Uint8Array, decoder: boolean): { inputIds: Uint32Array; first: Int32Array; count: Uint16Array } {
  const { ids, offsets } = tokenizer.encodeWithOffsets(bases, { addSpecialTokens: !decoder, case: 'upper' });
  const inputIds = framed(ids, tokenizer, decoder);
  const shift = inputIds.length - ids.length;
  const [first, count] = [new Int32Array(inputIds.length), new Uint16Array(inputIds.length)];
  let covered = 0;
  for (let i = 0; i < ids.length; i++) {
    const [start, end] = [offsets[2 * i], offsets[2 * i + 1]];
    first[i + shift] = start;
    count[i + shift] = Math.max(0, end - Math.max(start, covered));
    covered = Math.max(covered, end);
  }
  return { inputIds, first, count };
}

/** The class of every base of a contig, a number into `names`. */
export interface BaseClasses {
  readonly names: readonly string[];
  of(contig: string, bases: Uint8Array): Uint8Array;
}

/** Without a file: upper and lower case. From BED: the names of its intervals. From GFF3: the first of `types` that covers a base. */
export async function openClasses(path: string | undefined, types: readonly string[]): Promise<BaseClasses> {
  if (path === undefined) return { names: ['upper case', 'soft-masked'], of: (_, bases) => bases.map((base) => (base >= lowerCaseA ? 1 : 0)) };
  const intervals: { contig: string; start: number; end: number; name: string }[] = [];
  if (/\.gff3?(\.gz)?$/.test(path)) for await (const { contig, start, end, type } of readGff(path)) intervals.push({ contig, start, end, name: type });
  else for await (const { contig, start, end, name = 'inside' } of readBed(path)) intervals.push({ contig, start, end, name });
  const ranked = /\.gff3?(\.gz)?$/.test(path) ? types : [...new Set(intervals.map(({ name }) => name))];
  const names = ['other', ...ranked];
  return {
    names,
    of(contig, bases) {
      const classes = new Uint8Array(bases.length);
      for (const name of [...ranked].reverse()) for (const { start, end } of intervals.filter((own) => own.contig === contig && own.name === name)) classes.fill(names.indexOf(name), start, end);
      return classes;
    },
  };
}

/**
 * Held-out contigs as sequences to be predicted. A decoder's windows overlap by half and only the second half of each is scored (of the first window, all), so that every base is predicted once and from at least half a window.
 */
export async function openHeldOut(genomes: readonly GenomeFile[], wanted: (contig: string) => boolean, classes: BaseClasses, { tokenizer, decoder, window: [, longest] }: Pick<CorpusOptions, 'tokenizer' | 'decoder' | 'window'>): Promise<HeldOutSequence[]> {
  const sequences: HeldOutSequence[] = [];
  const context = decoder ? Math.floor(longest / 2) : 0;
  for (const { file, contigs } of genomes) {
    for (const { name: contig } of contigs.filter(({ name }) => wanted(name))) {
      const all = await file.fetch(contig);
      const ofBases = classes.of(contig, all);
      for (const [from, to] of stretchesOf(all)) {
        for (let start = from; start < to; start += longest - context) {
          const end = Math.min(to, start + longest);
          const own = all.subarray(start, end);
          const { inputIds, first, count } = encodeWithPlaces(tokenizer, own, decoder);
          const scoreFrom = start === from ? 0 : inputIds.findIndex((_, i) => count[i] > 0 && first[i] >= context);
          if (scoreFrom < 0) break;
          sequences.push({ inputIds, contig, bases: count, scoreFrom, classes: Uint8Array.from(first, (at) => ofBases[start + at]) });
          if (end === to) break;
        }
      }
    }
  }
  return sequences;
}
