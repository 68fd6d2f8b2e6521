/** Encoding of a sequence that comes in chunks, such as a chromosome from a file, in memory that does not grow with it. */
import { encodePiece, findJoint, firstTokenFrom, OVERLAP, type PieceEncoder } from './joint';
import { checkSequences, toText, type Sequence } from './sequence';
import { checkOptions, unknownLetter, type EncodeOptions, type Encoding } from './tokenizer';

export interface EncodeStreamOptions extends Pick<EncodeOptions, 'addSpecialTokens' | 'case' | 'unknown'> {
  /** Hears how many letters without a token there were so far, whenever a piece had some. */
  onUnknown?(unknownCount: number): void;
  /** Letters that are encoded at once. Default 2^20. */
  readonly blockLength?: number | undefined;
}

/**
 * Yields the ids of one sequence piece by piece: together they are exactly `encode` of the whole, without a limit that the file may set.
 *
 * What is yielded cannot change any more, whatever follows. The encoding of a longer text has, among the last L places of the text
 * so far, at least one border between tokens, L being the length of the longest token; and what lies before a border is the encoding of the
 * text up to there. So the tokens that the encodings up to each of the last L places have in common are final: for L = 128 that
 * takes 128 short encodings a block, a few per cent.
 * Text with added tokens in it or beyond ASCII is held back from there on, and vocabularies that are not linear hold back everything.
 */
export async function* encodeStream(tokenizer: PieceEncoder, chunks: Iterable<Sequence> | AsyncIterable<Sequence>, options: EncodeStreamOptions = {}): AsyncGenerator<Uint32Array, void, undefined> {
  const { addSpecialTokens = true, blockLength = 2 ** 20, unknown, onUnknown } = options;
  checkOptions({ unknown, case: options.case });
  checkSequences('encodeStream', chunks, 'chunks');
  const { single } = tokenizer.definition.frame, content = single.findIndex((piece) => 'sequence' in piece);
  const specials = (from: number, to: number) => Uint32Array.from(addSpecialTokens ? single.slice(from, to).flatMap((piece) => ('ids' in piece ? piece.ids : [])) : []);
  const encode = (text: string) => encodePiece(tokenizer, text, options.case);
  const longest = longestToken(tokenizer);
  let parts: string[] = [], length = 0, isPlain = true;
  const least = Math.max(blockLength, 4 * longest);
  let due = least; // doubled by what cannot be yielded yet, lest it be encoded again for every chunk

  let passed = 0, unknownCount = 0; // letters before the block, and those without a token among them
  const watchUnknown = (text: string, encoding: Encoding, count: number) => {
    const found = findUnknown(tokenizer, text, encoding, count);
    if (found.letters > 0 && unknown === 'error') throw unknownLetter(text, found.first, passed);
    if (found.letters > 0) onUnknown?.(unknownCount += found.letters);
  };

  const begin = specials(0, content);
  if (begin.length > 0) yield begin;
  for await (const chunk of chunks) {
    const text = toText(chunk);
    isPlain &&= tokenizer.isPlain(text);
    parts.push(text);
    length += text.length;
    if (!isPlain || length < due) continue;
    const block = parts.join(''), encoding = encode(block), count = countFinal(tokenizer, encode, block, encoding, longest);
    watchUnknown(block, encoding, count);
    if (count > 0) yield encoding.ids.slice(0, count);
    const rest = count === 0 ? block : block.slice(encoding.offsets[2 * count - 1]);
    passed += block.length - rest.length;
    parts = [rest];
    length = rest.length;
    due = Math.max(least, 2 * length);
  }
  const rest = parts.join(''), last = encode(rest), { ids } = last;
  watchUnknown(rest, last, ids.length);
  if (ids.length > 0) yield ids;
  const end = specials(content, single.length);
  if (end.length > 0) yield end;
}

/** Letters without a token among the first `count` tokens, and where the first of them stands. */
function findUnknown({ definition: { addedTokens, vocab, unkToken } }: PieceEncoder, text: string, { ids, offsets }: Encoding, count: number): { readonly letters: number; readonly first: number } {
  const unknownId = unkToken === null ? undefined : vocab.get(unkToken), isAdded = addedTokens.some(({ content }) => content === unkToken);
  let letters = 0, first = -1;
  for (let i = ids.indexOf(unknownId!); i >= 0 && i < count; i = ids.indexOf(unknownId!, i + 1)) {
    const covered = text.slice(offsets[2 * i], offsets[2 * i + 1]);
    if (isAdded && covered.trim() === unkToken) continue; // written in the text
    letters += [...covered].length;
    if (first < 0) first = offsets[2 * i];
  }
  return { letters, first };
}

function longestToken({ definition: { vocab, unkToken } }: PieceEncoder): number {
  let longest = 1;
  for (const token of vocab.keys()) if (token !== unkToken) longest = Math.max(longest, token.length);
  return longest;
}

/** How many tokens at the start of a block no continuation can change. */
function countFinal({ definition: { fuseUnk, vocab, unkToken } }: PieceEncoder, encode: (text: string) => Encoding, block: string, encoding: Encoding, longest: number): number {
  const count = encoding.ids.length;
  if (count === 0) return 0;
  // A run of unknown letters is a border on both sides; one fused token of them may still grow, however long it is.
  if (fuseUnk && unkToken !== null && encoding.ids[count - 1] === vocab.get(unkToken)) return count - 1;
  for (let overlap = OVERLAP; ; overlap *= 8) {
    const start = block.length - longest - overlap;
    const first = start > 0 ? Math.min(firstTokenFrom(encoding, start), count - 1) : 0, from = first > 0 ? encoding.offsets[2 * first] : 0;
    let final = count;
    for (let end = block.length - 1; end > block.length - longest && final > first; end--) {
      const other = encode(block.slice(from, end)), joint = from === 0 ? commonPrefix(encoding, other) : findJoint(encoding, first, other, 0, from)?.left;
      final = joint === undefined ? 0 : Math.min(final, joint + (from === 0 ? 0 : 1));
    }
    if (final > first || from === 0) return final;
  }
}

function commonPrefix(a: Encoding, b: Encoding): number {
  let count = 0;
  while (count < a.ids.length && count < b.ids.length && a.ids[count] === b.ids[count] && a.offsets[2 * count + 1] === b.offsets[2 * count + 1]) count++;
  return count;
}
