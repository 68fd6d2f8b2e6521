/**
 * Exact BPE training by Hugging Face's rule (tokenizers, models/bpe/trainer.rs): join the pair of neighbouring tokens
 * that is most frequent, ties to the lower left and then the lower right id; a count is the number of neighbouring positions, so that
 * AAA counts AA twice; occurrences are joined from left to right; a product that is a token already keeps its id.
 * But: `maxTokenLength` allows tokens of exactly that length (trainer.rs stops one short, except for pairs of letters), and pair
 * counts are exact, in memory up to 2^31 letters, out of core up to 2^53.
 */
import { createBpeTokenizer, type BpeTokenizer } from './bpe';
import { MemoryLimitError, show } from './errors';
import { createGrowingVocabulary, type GrowingVocabulary, type LearnOptions, type Merge } from './growingVocabulary';
import { learnMerges } from './learnMerges';
import { learnMergesByPasses } from './learnMergesByPasses';
import { createScratchFile, createScratchMemory } from './scratchFile';
import type { Sequence } from './sequence';
import { asAddedTokens, bertSpecialTokens } from './specialTokens';
import { createTokenPasses, memoryNeeded } from './tokenPass';
import { bareFrame, bertFrame } from './tokenizer';
import { readCorpus, unitToToken } from './trainingCorpus';

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
  /**
   * Trains out of core, for corpora larger than memory (Node, Deno, Bun): the bytes that the trainer may hold, whatever the size of the corpus;
   * the JavaScript engine itself comes on top, about 50 MB. It needs 4 bytes a pair of tokens and some buffers: 80 MB for 4,096 tokens.
   * Scratch space: 2 bytes a letter in `scratchDirectory`, gone when the training ends, however it ends. Default: in memory.
   */
  readonly maxMemory?: number | undefined;
  /** Default: the directory for temporary files. */
  readonly scratchDirectory?: string | undefined;
  /** Continues an interrupted training: its merges so far, from `onProgress` or a tokenizer's `definition`. Same corpus and options, same result as without the interruption. */
  readonly initialMerges?: readonly Merge[] | undefined;
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
  /** At the speed so far; merges become cheaper, so that it is rather less. */
  readonly secondsLeft: number;
  /** All merges so far: what `initialMerges` wants. */
  readonly merges: readonly Merge[];
}

const MAX_VOCAB = 0xfffe; // ids are 16 bits wide, the last is the separator
const PAUSE = 50; // milliseconds between looks at the signal and at other work

/**
 * Learns a vocabulary of byte pairs. In memory about 10 bytes a letter, or see `maxMemory`; the merges are the same.
 * @param corpus - sequences; no token reaches from one into the next, nor over white space
 * @throws RangeError for a corpus without letters or options out of bounds, of which MemoryLimitError for `maxMemory`; the signal's reason when it aborts; an Error where the scratch space is full
 */
export async function trainBpe(corpus: Iterable<Sequence> | AsyncIterable<Sequence>, options: TrainBpeOptions): Promise<BpeTokenizer> {
  const { vocabSize: goal, maxMemory } = options;
  checkTrainOptions(options);
  const inMemory = maxMemory === undefined ? createScratchMemory() : undefined, scratch = inMemory ?? createScratchFile(options.scratchDirectory);
  try {
    const { letters, length } = await readCorpus(corpus, options, scratch.append);
    const vocabulary = startVocabulary(letters, options), tokenOf = unitToToken(vocabulary.vocab, letters), learn = learnOptions(vocabulary, options);
    if (inMemory) await learnMerges(inMemory, length, tokenOf, vocabulary, learn);
    else {
      checkMemory(options, length); // a count above 2^32 needs a corpus of as many letters; then 8 bytes a count
      await learnMergesByPasses(createTokenPasses(scratch, length, tokenOf, goal) ?? noPasses(), vocabulary, learn);
    }
    return finishTraining(vocabulary, options);
  } finally {
    scratch.close();
  }
}

export function noPasses(): never {
  throw new Error('trainBpe: expected WebAssembly for training out of core, got a runtime that refuses it or has no room; leave maxMemory out to train in memory');
}

/** Special tokens, letters, and the merges that were given. */
export function startVocabulary(letters: readonly string[], { vocabSize: goal, specialTokens = bertSpecialTokens, initialMerges = [] }: TrainBpeOptions): GrowingVocabulary {
  const vocab = new Map(specialTokens.map((token, id) => [token, id]));
  for (const letter of letters) if (!vocab.has(letter)) vocab.set(letter, vocab.size);
  if (goal < vocab.size) throw new RangeError(`trainBpe: expected vocabSize of at least ${vocab.size} for ${specialTokens.length} special tokens and ${letters.length} letters, got ${goal}; raise it${letters.length > 4 ? ", or pass initialAlphabet: 'ACGT' with otherLetters: 'cut'" : ''}`);
  return createGrowingVocabulary(vocab, initialMerges);
}

export const learnOptions = (vocabulary: GrowingVocabulary, options: TrainBpeOptions): LearnOptions =>
  ({ goal: options.vocabSize, minFrequency: options.minFrequency ?? 0, maxTokenLength: options.maxTokenLength ?? Infinity, pause: createPause(vocabulary, options) });

export function finishTraining({ vocab, merges }: GrowingVocabulary, { vocabSize: goal, specialTokens = bertSpecialTokens, onProgress }: TrainBpeOptions): BpeTokenizer {
  onProgress?.({ vocabSize: vocab.size, goal, pairCount: 0, secondsLeft: 0, merges });
  return assembleTrained(vocab, merges, specialTokens);
}

/** The tokenizer of trained merges, framed as BERT where it has the tokens for that. */
export function assembleTrained(vocab: Map<string, number>, merges: readonly Merge[], specialTokens: readonly string[]): BpeTokenizer {
  const cls = vocab.get('[CLS]'), sep = vocab.get('[SEP]');
  return createBpeTokenizer({
    vocab, merges, unkToken: specialTokens.includes('[UNK]') ? '[UNK]' : null, fuseUnk: false,
    addedTokens: asAddedTokens(specialTokens), normalizer: null, preTokenizer: 'Whitespace',
    frame: specialTokens.includes('[CLS]') && specialTokens.includes('[SEP]') ? bertFrame({ token: '[CLS]', id: cls! }, { token: '[SEP]', id: sep! }) : bareFrame,
  });
}

/** Every 50 ms: reports, lets other work run, and looks at the signal. */
function createPause(vocabulary: { readonly size: number; readonly merges: readonly Merge[] }, { vocabSize: goal, signal, onProgress }: TrainBpeOptions) {
  const begun = performance.now(), from = vocabulary.size;
  let pausedAt = begun;
  return async (pairCount: number) => {
    const now = performance.now();
    if (now - pausedAt < PAUSE) return;
    const learnt = vocabulary.size - from;
    onProgress?.({ vocabSize: vocabulary.size, goal, pairCount, secondsLeft: learnt === 0 ? Infinity : ((now - begun) / 1000 / learnt) * (goal - vocabulary.size), merges: vocabulary.merges });
    await new Promise((resume) => setTimeout(resume));
    signal?.throwIfAborted();
    pausedAt = performance.now();
  };
}

export function checkTrainOptions({ vocabSize, maxMemory, minFrequency, maxTokenLength, specialTokens = bertSpecialTokens, otherLetters, case: letterCase }: TrainBpeOptions): void {
  const whole = (name: string, value: number | undefined, from: number, to: number) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= from && value <= to)) throw new RangeError(`trainBpe: expected ${name} from ${from} to ${to}, got ${show(value)}; 4096 tokens without other limits are usual`);
  };
  whole('vocabSize', vocabSize ?? NaN, 1, MAX_VOCAB);
  whole('minFrequency', minFrequency, 0, 2 ** 31 - 1);
  whole('maxTokenLength', maxTokenLength, 1, 2 ** 31 - 1);
  checkMemory({ vocabSize, maxMemory });
  if (new Set(specialTokens).size < specialTokens.length || specialTokens.some((token) => typeof token !== 'string' || token === '')) throw new RangeError(`trainBpe: expected different special tokens, got ${show(specialTokens.join(' '))}; give each once`);
  if (otherLetters !== undefined && otherLetters !== 'learn' && otherLetters !== 'cut') throw new RangeError(`trainBpe: expected otherLetters to be 'learn' or 'cut', got ${show(otherLetters)}; leave it out for 'learn'`);
  if (letterCase !== undefined && letterCase !== 'preserve' && letterCase !== 'upper') throw new RangeError(`trainBpe: expected case to be 'preserve' or 'upper', got ${show(letterCase)}; leave it out for 'preserve'`);
}

function checkMemory({ vocabSize, maxMemory }: TrainBpeOptions, letters?: number): void {
  const needed = memoryNeeded(vocabSize, letters);
  if (maxMemory === undefined || maxMemory >= needed) return;
  throw new MemoryLimitError(needed, `trainBpe: expected maxMemory of at least ${needed} bytes for ${letters === undefined ? `${vocabSize} tokens` : `a corpus of ${letters} letters`}, got ${show(maxMemory)}; raise it or lower vocabSize`);
}
