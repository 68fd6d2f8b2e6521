import { hashText } from './hash';
import type { TokenSequence } from './batch';

/** What this package asks of a tokenizer. */
export interface Encoder {
  readonly vocabSize: number;
  readonly specialIds: Readonly<Partial<Record<'unk' | 'cls' | 'sep' | 'pad' | 'mask', number>>>;
  encode(sequence: string, options?: { pair?: string; addSpecialTokens?: boolean; maxLength?: number }): Uint32Array;
}

/** Vocabularies are padded to a multiple of this, or less; a model with more rows beyond a tokenizer's ids is another tokenizer's. */
const paddingMultiple = 256;

/** @throws RangeError where the tokenizer has ids without a row in the model's tables, or so few that it is another model's */
export function checkEncoder(operation: string, { vocabSize }: { readonly vocabSize: number }, encoder: { readonly vocabSize?: number }): void {
  if (encoder.vocabSize === undefined || (encoder.vocabSize <= vocabSize && vocabSize - encoder.vocabSize < paddingMultiple)) return;
  throw new RangeError(`${operation}: expected a tokenizer with the model's vocabulary of ${vocabSize}, got one of ${encoder.vocabSize}; use the tokenizer that the model was made for`);
}

type AnyEncoder = Pick<Encoder, 'encode'> | { encodeWithOffsets(sequence: string, options: { addSpecialTokens: boolean }): { readonly ids: Uint32Array } };

/** Tells tokenizers apart by what they make of 2,048 fixed bases, special tokens left out: 16 hexadecimal digits. */
export function tokenizerFingerprint(encoder: AnyEncoder): string {
  let state = 1;
  const base = (): string => 'ACGT'[(state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 30];
  const pieces = Array.from({ length: 8 }, () => Array.from({ length: 256 }, base).join('')); // short enough for a tokenizer.json that cuts
  const idsOf = (piece: string): Uint32Array => ('encode' in encoder ? encoder.encode(piece, { addSpecialTokens: false }) : encoder.encodeWithOffsets(piece, { addSpecialTokens: false }).ids);
  return hashText(pieces.map((piece) => idsOf(piece).join(',')).join(' '));
}

/**
 * {@link checkEncoder}, and where the configuration says which tokenizer the model was trained with, whether this is it: another of the same size, or of a smaller vocabulary, would go unseen and make nonsense of every score.
 * @throws RangeError
 */
export function checkTokenizer(operation: string, config: { readonly vocabSize: number; readonly tokenizerFingerprint?: string }, encoder: AnyEncoder & { readonly vocabSize?: number }): void {
  checkEncoder(operation, config, encoder);
  if (config.tokenizerFingerprint === undefined) return;
  const found = tokenizerFingerprint(encoder);
  if (found !== config.tokenizerFingerprint) throw new RangeError(`${operation}: expected the tokenizer that the model was trained with (${config.tokenizerFingerprint}), got another (${found}); use the tokenizer that the model was made for`);
}

/** One item: a sequence, or two that belong together, and its class. */
export interface Example {
  readonly sequence: string;
  readonly pair?: string;
  /** From 0. */
  readonly label: number;
}

export interface EncodedExamples {
  readonly sequences: readonly TokenSequence[];
  readonly lengths: Int32Array;
  readonly tokens: number;
  /** Length of the sequences before they were cut. */
  readonly bases: number;
  /** Which examples maxLength has cut. */
  readonly truncated: readonly number[];
}

/** Encodes every example once. @param maxLength - in tokens, special tokens included */
export function encodeExamples(examples: readonly Example[], encoder: Encoder, maxLength = Infinity): EncodedExamples {
  let [tokens, bases] = [0, 0];
  const truncated: number[] = [];
  const sequences = examples.map((example, i) => {
    let encoded = encodeExample(example, encoder);
    if (encoded.inputIds.length > maxLength) {
      truncated.push(i);
      encoded = encodeExample(example, encoder, maxLength);
    }
    tokens += encoded.inputIds.length;
    bases += example.sequence.length + (example.pair?.length ?? 0);
    return encoded;
  });
  return { sequences, lengths: Int32Array.from(sequences, ({ inputIds }) => inputIds.length), tokens, bases, truncated };
}

/** A pair is `[CLS] A [SEP] B [SEP]`; all after the first [SEP] is of type 1. */
function encodeExample({ sequence, pair }: Example, encoder: Encoder, maxLength?: number): TokenSequence {
  const limit = maxLength === undefined ? {} : { maxLength };
  if (pair === undefined) return { inputIds: encoder.encode(sequence, limit) };
  const { sep } = encoder.specialIds;
  const inputIds = encoder.encode(sequence, { pair, ...limit });
  const end = sep === undefined ? -1 : inputIds.indexOf(sep);
  if (end < 0) throw new TypeError('encodeExamples: expected an encoder with [SEP] for examples with a pair, got one without; use a tokenizer that frames pairs');
  return { inputIds, tokenTypeIds: inputIds.map((_, i) => (i > end ? 1 : 0)) };
}

/** @throws RangeError that names the first example whose label is no class */
export function checkLabels(examples: readonly Example[], classes: number, split: string): void {
  examples.forEach(({ label }, i) => {
    if (!Number.isInteger(label) || label < 0 || label >= classes) throw new RangeError(`fit: expected a label from 0 to ${classes - 1}, got ${label} in ${split} example ${i}; check the number of classes`);
  });
}
