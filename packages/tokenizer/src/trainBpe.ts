/**
 * Exact BPE training in memory, by Hugging Face's rule (tokenizers, models/bpe/trainer.rs): join the pair of neighbouring tokens
 * that is most frequent, ties to the lower left and then the lower right id; a count is the number of neighbouring positions, so that
 * AAA counts AA twice; occurrences are joined from left to right; a product that is a token already keeps its id.
 * But: `maxTokenLength` allows tokens of exactly that length (trainer.rs stops one short, except for pairs of letters), and pair
 * counts are exact up to 2^31 letters.
 */
import { createBpeTokenizer, type BpeTokenizer } from './bpe';
import { show } from './errors';
import { addOccurrence, countOf, createPairIndex, removeOccurrence, takeOccurrences, type PairIndex } from './pairIndex';
import { createPairHeap } from './pairHeap';
import { asAddedTokens, bertSpecialTokens } from './specialTokens';
import type { Sequence } from './sequence';
import { bareFrame, bertFrame } from './tokenizer';
import { readCorpus, SEPARATOR } from './trainingCorpus';

/** What to learn, from which letters. */
export interface TrainBpeOptions {
  /** Tokens wanted, special tokens and letters included; at most 65,534. Fewer result when no pair is frequent enough. */
  readonly vocabSize: number;
  /** Pairs that occur less often are not joined. Default 0, which means once. */
  readonly minFrequency?: number | undefined;
  /** Longest token in letters. Default no limit. */
  readonly maxTokenLength?: number | undefined;
  /** Ids from 0. Default [UNK], [CLS], [SEP], [PAD], [MASK] as in DNABERT-2. With [CLS] and [SEP] the tokenizer frames as BERT does. */
  readonly specialTokens?: readonly string[] | undefined;
  /** Letters that get an id even where the corpus lacks them, such as `ACGT`. */
  readonly initialAlphabet?: string | undefined;
  /** Letters beyond `initialAlphabet`: `learn` gives them ids (Hugging Face's rule, default), `cut` ends the text at them, so that N and IUPAC codes get no tokens. */
  readonly otherLetters?: 'learn' | 'cut' | undefined;
  /** `upper` reads soft-masked `acgt` as `ACGT`. Default `preserve`: lower case would be learnt as letters of its own. */
  readonly case?: 'preserve' | 'upper' | undefined;
  readonly signal?: AbortSignal | undefined;
  onProgress?(event: TrainBpeProgress): void;
}

/** How far a training is. */
export interface TrainBpeProgress {
  /** Tokens so far, and wanted. */
  readonly vocabSize: number;
  readonly goal: number;
  /** Occurrences of the pair that was joined last. */
  readonly pairCount: number;
}

const MAX_VOCAB = 0xfffe; // ids are 16 bits wide, the last is the separator
const PAUSE = 50; // milliseconds between looks at the signal and at other work

/**
 * Learns a vocabulary of byte pairs. About 10 bytes of memory a letter.
 * @param corpus - sequences; no token reaches from one into the next, nor over white space
 * @throws RangeError for a corpus without letters or options out of bounds; the signal's reason when it aborts
 */
export async function trainBpe(corpus: Iterable<Sequence> | AsyncIterable<Sequence>, options: TrainBpeOptions): Promise<BpeTokenizer> {
  const { specialTokens = bertSpecialTokens, vocabSize: goal } = options;
  checkOptions(options, specialTokens);
  if (typeof corpus === 'string' || corpus instanceof Uint8Array) throw new TypeError('trainBpe: expected an iterable of sequences, got one sequence; put it into an array');
  const text = await readCorpus(corpus, options);
  const vocab = new Map(specialTokens.map((token, id) => [token, id]));
  for (const letter of text.letters) if (!vocab.has(letter)) vocab.set(letter, vocab.size);
  if (goal < vocab.size) throw new RangeError(`trainBpe: expected vocabSize of at least ${vocab.size} for ${specialTokens.length} special tokens and ${text.letters.length} letters, got ${goal}; raise it${text.letters.length > 4 ? ", or pass initialAlphabet: 'ACGT' with otherLetters: 'cut'" : ''}`);
  const merges = await learnMerges(text.toTokens((letter) => vocab.get(letter)!), vocab, options);
  const cls = vocab.get('[CLS]'), sep = vocab.get('[SEP]');
  return createBpeTokenizer({
    vocab, merges, unkToken: specialTokens.includes('[UNK]') ? '[UNK]' : null, fuseUnk: false,
    addedTokens: asAddedTokens(specialTokens), normalizer: null, preTokenizer: 'Whitespace',
    frame: specialTokens.includes('[CLS]') && specialTokens.includes('[SEP]') ? bertFrame({ token: '[CLS]', id: cls! }, { token: '[SEP]', id: sep! }) : bareFrame,
  });
}

/** Adds the products to `vocab`. @param tokens - a separator at both ends and between words */
async function learnMerges(tokens: Uint16Array, vocab: Map<string, number>, options: TrainBpeOptions): Promise<[string, string][]> {
  const { vocabSize: goal, minFrequency = 0, maxTokenLength = Infinity, signal, onProgress } = options;
  const texts = [...vocab.keys()], merges: [string, string][] = [];
  const lengths = new Uint32Array(2 ** 16).fill(1); // letters and the separator; special tokens never occur
  const index = createPairIndex(tokens.length), heap = createPairHeap();
  const offer = (key: number) => {
    if (lengths[key >>> 16] + lengths[key & 0xffff] <= maxTokenLength) heap.push(countOf(index, key), key);
  };
  for (const key of indexLetters(tokens, index)) offer(key);
  let pausedAt = performance.now();
  while (vocab.size < goal && heap.size > 0) {
    const { count, key } = heap, current = countOf(index, key);
    heap.pop();
    if (count !== current) { // other merges took occurrences since it was pushed
      if (current > 0) heap.push(current, key);
      continue;
    }
    if (count < Math.max(1, minFrequency)) break;
    const left = key >>> 16, right = key & 0xffff, product = texts[left] + texts[right];
    let id = vocab.get(product);
    if (id === undefined) {
      vocab.set(product, id = vocab.size);
      texts.push(product);
      lengths[id] = product.length;
    }
    merges.push([texts[left], texts[right]]);
    for (const touched of joinEverywhere(tokens, lengths, index, key, id, merges.length)) offer(touched);
    if (performance.now() - pausedAt < PAUSE) continue;
    onProgress?.({ vocabSize: vocab.size, goal, pairCount: count });
    await new Promise((resume) => setTimeout(resume));
    signal?.throwIfAborted();
    pausedAt = performance.now();
  }
  onProgress?.({ vocabSize: vocab.size, goal, pairCount: 0 });
  return merges;
}

const pairKey = (left: number, right: number) => left * 65536 + right;

/** @returns the pairs of letters that occur */
function indexLetters(tokens: Uint16Array, index: PairIndex): number[] {
  const pairs: number[] = [];
  for (let i = tokens.length - 2; i > 0; i--) {
    if (tokens[i] === SEPARATOR || tokens[i + 1] === SEPARATOR) continue;
    const key = pairKey(tokens[i], tokens[i + 1]);
    if (addOccurrence(index, key, i, -1)) pairs.push(key);
  }
  return pairs;
}

/**
 * Joins all occurrences of a pair, from left to right. A token's id stands at its first and at its last letter (what lies between
 * is stale), so that its neighbours are found without links: the next starts at `i + lengths[id]`, the one before ends at `i - 1`.
 * @returns the pairs that gained occurrences
 */
function joinEverywhere(tokens: Uint16Array, lengths: Uint32Array, index: PairIndex, key: number, product: number, sweep: number): number[] {
  const left = key >>> 16, right = key & 0xffff, gained: number[] = [];
  let joinedUntil = 0;
  for (const i of takeOccurrences(index, key)) {
    if (i < joinedUntil) continue; // AAA: the first two were joined, the second pair is gone
    const middle = i + lengths[left], end = middle + lengths[right];
    const previous = tokens[i - 1], next = tokens[end];
    tokens[i] = tokens[end - 1] = product;
    joinedUntil = end;
    if (previous !== SEPARATOR) {
      const start = i - lengths[previous], pair = pairKey(previous, product);
      removeOccurrence(index, pairKey(previous, left), start);
      if (addOccurrence(index, pair, start, sweep)) gained.push(pair);
    }
    if (next !== SEPARATOR) {
      const before = pairKey(right, next), pair = pairKey(product, next);
      if (before !== key) removeOccurrence(index, before, middle); // else it was taken with the others
      if (addOccurrence(index, pair, i, sweep)) gained.push(pair);
    }
  }
  return gained;
}

function checkOptions({ vocabSize, minFrequency, maxTokenLength, otherLetters, case: letterCase }: TrainBpeOptions, specialTokens: readonly string[]): void {
  const whole = (name: string, value: number | undefined, from: number, to: number) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= from && value <= to)) throw new RangeError(`trainBpe: expected ${name} from ${from} to ${to}, got ${show(value)}; 4096 tokens without other limits are usual`);
  };
  whole('vocabSize', vocabSize ?? NaN, 1, MAX_VOCAB);
  whole('minFrequency', minFrequency, 0, 2 ** 31 - 1);
  whole('maxTokenLength', maxTokenLength, 1, 2 ** 31 - 1);
  if (new Set(specialTokens).size < specialTokens.length || specialTokens.some((token) => typeof token !== 'string' || token === '')) throw new RangeError(`trainBpe: expected different special tokens, got ${show(specialTokens.join(' '))}; give each once`);
  if (otherLetters !== undefined && otherLetters !== 'learn' && otherLetters !== 'cut') throw new RangeError(`trainBpe: expected otherLetters to be 'learn' or 'cut', got ${show(otherLetters)}; leave it out for 'learn'`);
  if (letterCase !== undefined && letterCase !== 'preserve' && letterCase !== 'upper') throw new RangeError(`trainBpe: expected case to be 'preserve' or 'upper', got ${show(letterCase)}; leave it out for 'preserve'`);
}
