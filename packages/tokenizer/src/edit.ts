/** Encoding of a sequence that differs in a few places from one that is encoded already, such as a haplotype from its reference. */
import { show } from './errors';
import { encodePiece, findJoint, firstTokenFrom, OVERLAP, type PieceEncoder } from './joint';
import type { EncodeOptions, Encoding } from './tokenizer';

/** Bases `[start, end)` of the old sequence become `replacement`; 0-based, half-open. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

export interface EncodeEditedOptions extends Pick<EncodeOptions, 'case'> {
  /** Bases around an edit that are encoded again at first; where that does not suffice, four times as many. Default 256. */
  readonly margin?: number | undefined;
}

/** A sequence and its encoding without special tokens. */
export interface EncodedSequence extends Encoding { readonly sequence: string }

/**
 * Applies edits and encodes again only around them: exactly what `encodeWithOffsets` gives for the new sequence.
 * @param before - the old sequence with its encoding, made with `addSpecialTokens: false` and the same options
 * @param edits - ascending, not overlapping
 * @throws RangeError for edits out of order or outside the sequence
 */
export function encodeEdited(tokenizer: PieceEncoder, before: EncodedSequence, edits: readonly Edit[], options: EncodeEditedOptions = {}): EncodedSequence {
  const { margin: usual = OVERLAP } = options;
  if (!(Number.isInteger(usual) && usual > 0)) throw new RangeError(`encodeEdited: expected a margin of at least 1 base, got ${show(usual)}; leave it out for ${OVERLAP}`);
  checkEdits(before.sequence.length, edits);
  const encode = (text: string) => encodePiece(tokenizer, text, options.case);
  const { sequence: old } = before;
  if (!tokenizer.isPlain(old) || !edits.every(({ replacement }) => tokenizer.isPlain(replacement))) {
    const sequence = applyEdits(old, edits, 0, old.length);
    return { sequence, ...encode(sequence) };
  }
  const patches: Patch[] = [];
  for (let i = 0; i < edits.length;) {
    let next = i + 1, patch: Patch | undefined;
    for (let margin = usual; patch === undefined; margin *= 4) {
      while (next < edits.length && edits[next].start - edits[next - 1].end < 2 * margin) next++; // one patch for near edits
      patch = findPatch(before, edits.slice(i, next), margin, encode);
      const last = patches.at(-1);
      if (patch && last && (patch.from < last.to || patch.from === 0)) { // it reached back into the patch before: one patch for both
        i = last.firstEdit;
        patches.pop();
        patch = undefined;
      } else if (patch) patches.push({ ...patch, firstEdit: i });
    }
    i = next;
  }
  return applyPatches(before, edits, patches);
}

/** Tokens `[from, to)` of the old encoding give way to `tokens`, which start at base `start` of the old and are for the edits from `firstEdit` on. */
interface Patch {
  readonly from: number;
  readonly to: number;
  readonly tokens: Encoding;
  readonly start: number;
  /** Bases that the new sequence is longer by, over this patch. */
  readonly growth: number;
  readonly firstEdit: number;
}

/** @returns undefined where the encodings share no token within the margin on one of the sides */
function findPatch(before: EncodedSequence, edits: readonly Edit[], margin: number, encode: (text: string) => Encoding): Patch | undefined {
  const { sequence: old } = before, first = edits[0].start, last = edits[edits.length - 1].end;
  const begin = first <= margin ? 0 : firstTokenFrom(before, first - margin); // token
  const start = begin === 0 ? 0 : begin < before.ids.length ? before.offsets[2 * begin] : old.length;
  const end = Math.min(old.length, last + margin), growth = edits.reduce((sum, { start: from, end: to, replacement }) => sum + replacement.length - (to - from), 0);
  if (start > first) return undefined;
  const tokens = encode(applyEdits(old, edits, start, end));
  // Left: a common token that ends before the first edit; at the start of the sequence there is nothing to join.
  let left = { left: 0, right: 0 };
  if (begin > 0) {
    const joint = findJoint(before, begin, tokens, 0, start);
    if (!joint || before.offsets[2 * joint.left + 1] > first) return undefined;
    left = joint;
  }
  // Right: a common token that starts after the last edit; at the end of the sequence again nothing.
  let right = { left: before.ids.length, right: tokens.ids.length };
  if (end < old.length) {
    const joint = findJoint(before, firstTokenFrom(before, last), tokens, firstTokenFrom(tokens, last + growth - start), start - growth);
    if (!joint) return undefined;
    right = joint;
  }
  const kept = { ids: tokens.ids.subarray(left.right, right.right), offsets: tokens.offsets.subarray(2 * left.right, 2 * right.right) };
  return { from: left.left, to: right.left, tokens: kept, start, growth, firstEdit: 0 };
}

function applyPatches(before: EncodedSequence, edits: readonly Edit[], patches: readonly Patch[]): EncodedSequence {
  const count = patches.reduce((sum, { from, to, tokens }) => sum + tokens.ids.length - (to - from), before.ids.length);
  const ids = new Uint32Array(count), offsets = new Uint32Array(2 * count);
  let done = 0, at = 0, shift = 0;
  const copy = (source: Encoding, from: number, to: number, moved: number) => {
    ids.set(source.ids.subarray(from, to), at);
    for (let i = 2 * from, o = 2 * at; i < 2 * to; i++) offsets[o++] = source.offsets[i] + moved;
    at += to - from;
  };
  for (const { from, to, tokens, start, growth } of patches) {
    copy(before, done, from, shift);
    copy(tokens, 0, tokens.ids.length, start + shift);
    done = to;
    shift += growth;
  }
  copy(before, done, before.ids.length, shift);
  return { sequence: applyEdits(before.sequence, edits, 0, before.sequence.length), ids, offsets };
}

/** Bases `[start, end)` of the old sequence with the edits in it. */
function applyEdits(old: string, edits: readonly Edit[], start: number, end: number): string {
  const parts: string[] = [];
  let at = start;
  for (const edit of edits) {
    parts.push(old.slice(at, edit.start), edit.replacement);
    at = edit.end;
  }
  return parts.join('') + old.slice(at, end);
}

function checkEdits(length: number, edits: readonly Edit[]): void {
  let at = 0;
  for (const { start, end, replacement } of edits) {
    if (!(Number.isInteger(start) && Number.isInteger(end) && at <= start && start <= end && end <= length)) throw new RangeError(`encodeEdited: expected edits in ascending order within 0 to ${length}, got ${show(start)} to ${show(end)} after ${at}; sort them, and merge those that overlap`);
    if (typeof replacement !== 'string') throw new TypeError(`encodeEdited: expected a string as replacement, got ${show(replacement)}; use '' to remove bases`);
    at = end;
  }
}
