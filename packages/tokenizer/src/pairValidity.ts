/**
 * Which two tokens may stand side by side in an encoding.
 *
 * Tokens t1, t2 side by side are *invalid* when some rule m = (u, v) would have joined across their border: u ends t1, v begins
 * t2, and both were still tokens of their own when rule m was due. u ends t1 exactly when t1 lies below u in the tree whose
 * parent is "right part of"; u still lives at m when the way down to t1 starts with a rank above m. Visit the children of a
 * node in descending rank, and these t1 are one interval of the tree's preorder; likewise the t2 in the tree of left parts.
 * So every rule forbids one rectangle of pairs, and the forbidden pairs are the union of as many rectangles as there are rules:
 * built in milliseconds, where asking for 16.7 million pairs of a 4,096 vocabulary one by one takes seconds.
 * On equal rank the left occurrence is formed first, hence "above m" on the left and "from m on" on the right side.
 */
import type { MergeRules } from './mergeRules';

/** One bit a pair of classes; a pair is invalid where `bits[rowOf[left] + (columnOf[right] >>> 5)] >>> (columnOf[right] & 31) & 1`. */
export interface PairValidity {
  readonly bits: Uint32Array;
  /** Words in a row. */
  readonly words: number;
  /** First word of a left token's row; the row of id `vocabSize` stands for "no token" and allows everything. */
  readonly rowOf: Uint32Array;
  readonly columnOf: Uint32Array;
}

const MAX_WORDS = 2 ** 24; // 64 MiB; a 32,000-token human vocabulary takes a third of it

/** @returns undefined where the table would exceed 64 MiB. Needs rules that use only letters and products of earlier rules, each product once. */
export function buildPairValidity(rules: MergeRules, letterIds: Uint32Array, vocabSize: number): PairValidity | undefined {
  const count = rules.product.length;
  const rows = preorder(rules.right, rules, letterIds, vocabSize);
  const columns = preorder(rules.left, rules, letterIds, vocabSize);
  const rectangles = new Uint32Array(4 * count);
  for (let m = 0; m < count; m++) {
    const u = rules.left[m], v = rules.right[m], p = rules.product[m];
    // The free end of a node's interval: children of rank below m are already cut off behind it.
    rectangles.set([columns.first[v], columns.freeEnd[v]], 4 * m + 2);
    columns.place(p, u);
    rows.place(p, v);
    rectangles.set([rows.first[u], rows.freeEnd[u]], 4 * m);
  }
  const rowClasses = classify(rectangles, 0, rows.total), columnClasses = classify(rectangles, 2, columns.total);
  const words = (columnClasses.count + 31) >>> 5;
  if ((rowClasses.count + 1) * words > MAX_WORDS) return undefined;
  const bits = new Uint32Array((rowClasses.count + 1) * words);
  for (let at = 0; at < rectangles.length; at += 4) {
    const from = columnClasses.of[rectangles[at + 2]], to = columnClasses.of[rectangles[at + 3]];
    for (let row = rowClasses.of[rectangles[at]]; row < rowClasses.of[rectangles[at + 1]]; row++) setBits(bits, row * words, from, to);
  }
  return {
    bits, words,
    rowOf: Uint32Array.from({ length: vocabSize + 1 }, (_, id) => (id < vocabSize ? rowClasses.of[rows.first[id]] : rowClasses.count) * words),
    columnOf: Uint32Array.from({ length: vocabSize + 1 }, (_, id) => (id < vocabSize ? columnClasses.of[columns.first[id]] : 0)),
  };
}

/** Preorder numbers in the tree where a product hangs below `parentOf[rule]` and letters are roots; filled by `place` in rank order. */
function preorder(parentOf: Uint32Array, rules: MergeRules, letterIds: Uint32Array, vocabSize: number) {
  const size = new Uint32Array(vocabSize).fill(1), first = new Uint32Array(vocabSize), freeEnd = new Uint32Array(vocabSize);
  for (let m = rules.product.length - 1; m >= 0; m--) size[parentOf[m]] += size[rules.product[m]];
  let total = 0;
  for (const id of letterIds) {
    first[id] = total;
    freeEnd[id] = total += size[id];
  }
  const place = (child: number, parent: number) => {
    freeEnd[child] = freeEnd[parent];
    first[child] = freeEnd[parent] -= size[child];
  };
  return { first, freeEnd, total, place };
}

/** Numbers between two neighbouring borders of rectangles behave alike: one class. `of` has one entry more, for the end. */
function classify(rectangles: Uint32Array, axis: 0 | 2, total: number) {
  const of = new Uint32Array(total + 1);
  for (let at = axis; at < rectangles.length; at += 4) of[rectangles[at]] = of[rectangles[at + 1]] = 1;
  of[0] = 0;
  for (let i = 1; i <= total; i++) of[i] += of[i - 1];
  return { of, count: of[total] + 1 };
}

function setBits(bits: Uint32Array, base: number, from: number, to: number): void {
  for (let i = from; i < to;) {
    const inWord = Math.min(32 - (i & 31), to - i);
    bits[base + (i >>> 5)] |= (inWord === 32 ? 0xffffffff : (1 << inWord) - 1) << (i & 31);
    i += inWord;
  }
}
