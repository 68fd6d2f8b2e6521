import { FormatError } from '@genomelm/genome-io';
import { baseCode } from '../baseCode';

/** A fixed share of the k-mers of a corpus, as hashes: small enough to be stored with a model, enough to tell how much of a test set stands in the corpus. */
export interface Sketch {
  readonly schema: 'genomelm-sketch/1';
  /** Length of the words; both strands count as one. */
  readonly k: 21;
  /** One word of so many is kept, by its hash ("FracMinHash", Irber et al. 2022). */
  readonly scaled: number;
  /** Letters of the corpus. */
  readonly bases: number;
  /** Ascending, 53 bits each. */
  readonly hashes: readonly number[];
}

/** How much of a set stands in a corpus. */
export interface CorpusOverlap {
  /** Distinct words of the set that the sampling keeps. */
  readonly words: number;
  /** Those that the corpus holds too. */
  readonly shared: number;
  /** shared / words; chance alone gives about bases / 4^21, 0.0007 for a human genome. NaN without words. */
  readonly containment: number;
}

const k = 21;

/** @param options.scaled - 1000 unless given; 1 keeps every word */
export async function createSketch(sequences: Iterable<string> | AsyncIterable<string>, { scaled = 1000 }: { readonly scaled?: number } = {}): Promise<Sketch> {
  if (!(Number.isInteger(scaled) && scaled >= 1)) throw new RangeError(`createSketch: expected scaled as a whole number >= 1, got ${scaled}; 1000 is usual`);
  const kept = new Set<number>();
  let bases = 0;
  for await (const sequence of sequences) {
    bases += sequence.length;
    addWords(sequence, 2 ** 32 / scaled, kept);
  }
  return { schema: 'genomelm-sketch/1', k, scaled, bases, hashes: [...kept].sort((a, b) => a - b) };
}

/** @param sequences - for example those of a test set, pairs as two @param corpus - of what a model was trained on */
export async function corpusOverlap(sequences: Iterable<string>, corpus: Sketch): Promise<CorpusOverlap> {
  const { hashes } = await createSketch(sequences, corpus);
  const known = new Set(corpus.hashes);
  const shared = hashes.filter((hash) => known.has(hash)).length;
  return { words: hashes.length, shared, containment: shared / hashes.length };
}

/** @param file - named in errors */
export function parseSketch(text: string, file = 'sketch.json'): Sketch {
  let sketch: Partial<Sketch> | null;
  try {
    sketch = JSON.parse(text) as Partial<Sketch> | null;
  } catch (cause) {
    throw new FormatError(`parseSketch: expected JSON, got ${(cause as Error).message} in ${file}; make it again with createSketch`, { format: 'genomelm-sketch', cause });
  }
  const valid = sketch?.schema === 'genomelm-sketch/1' && sketch.k === k && Number.isInteger(sketch.scaled) && Array.isArray(sketch.hashes) && sketch.hashes.every(Number.isSafeInteger);
  if (!valid) throw new FormatError(`parseSketch: expected a sketch of schema genomelm-sketch/1 with words of ${k}, got ${JSON.stringify(sketch?.schema ?? null)} in ${file}; make it again with createSketch`, { format: 'genomelm-sketch' });
  return sketch as Sketch;
}

/** Adds the hashes below the limit of all words without ambiguous letters. A word is two numbers: its first 10 bases and its last 11. */
function addWords(sequence: string, limit: number, kept: Set<number>): void {
  let [head, tail, reverseHead, reverseTail, known] = [0, 0, 0, 0, 0];
  for (let i = 0; i < sequence.length; i++) {
    const base = baseCode(sequence, i);
    known = base === 4 ? 0 : known + 1;
    head = ((head << 2) | (tail >>> 20)) & 0xfffff;
    tail = ((tail << 2) | (base & 3)) & 0x3fffff;
    reverseTail = (reverseTail >>> 2) | ((reverseHead & 3) << 20);
    reverseHead = (reverseHead >>> 2) | ((3 - (base & 3)) << 18);
    if (known < k) continue;
    const forward = head < reverseHead || (head === reverseHead && tail <= reverseTail);
    const [a, b] = forward ? [head, tail] : [reverseHead, reverseTail];
    const high = mix(b ^ mix(a + 0x9e3779b9));
    if (high >= limit) continue;
    kept.add(high * 2 ** 21 + (mix(high ^ mix(b + a)) >>> 11));
  }
}

/** Murmur3's finaliser: every bit of the result depends on every bit given. */
function mix(word: number): number {
  let x = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
