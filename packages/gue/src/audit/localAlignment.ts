/** blastn's scores: a gap of n bases costs `gapOpen + n gapExtend`. */
export const alignmentScores = Object.freeze({ match: 2, mismatch: -3, gapOpen: 5, gapExtend: 2 });

/** The best local alignment of a query within a band. */
export interface LocalAlignment {
  readonly score: number;
  /** Equal columns over all columns, gaps included; 0 to 1. */
  readonly identity: number;
  /** Share of the query between the alignment's first and last base; 0 to 1. */
  readonly coverage: number;
}

// Where a cell of the alignment comes from: the low two bits for the cell itself, two flags for gaps that go on.
const fromDiagonal = 1;
const fromLeft = 2;
const fromAbove = 3;
const leftGoesOn = 4;
const aboveGoesOn = 8;
const never = -1e9;

/** Query and target with the band in which they are aligned: cells with |target position - query position - diagonal| <= halfWidth. */
export interface Band {
  readonly query: Uint8Array;
  readonly target: Uint8Array;
  readonly diagonal: number;
  readonly halfWidth: number;
}

/**
 * Smith and Waterman's local alignment with affine gaps (Gotoh 1982) inside a band, traced back once.
 * @param target - base codes; a separator or an ambiguous letter (4 and above) equals nothing
 */
export function alignLocally(band: Band): LocalAlignment {
  const { query, halfWidth } = band;
  const width = 2 * halfWidth + 1;
  const directions = new Uint8Array(query.length * width);
  const { score, row, column } = fillBand(band, directions);
  return { score, ...traceBack(band, directions, row, column) };
}

/**
 * Cell b of row i stands for target position i + diagonal - halfWidth + b, so its diagonal neighbour is cell b of the row above, and the one above it cell b + 1.
 * Written with plain variables and one pass over each row: an audit of a set rich in repeats spends nearly all its time here.
 */
function fillBand({ query, target, diagonal, halfWidth }: Band, directions: Uint8Array): { score: number; row: number; column: number } {
  const { match, mismatch, gapOpen, gapExtend } = alignmentScores;
  const gapStart = gapOpen + gapExtend;
  const width = 2 * halfWidth + 1;
  const best = new Int32Array(width + 1); // One more cell: nothing stands above the last.
  const above = new Int32Array(width + 1).fill(never);
  let score = 0;
  let at = 0;
  for (let i = 0; i < query.length; i++) {
    const first = i + diagonal - halfWidth;
    const from = Math.min(Math.max(0, -first), width);
    const to = Math.max(from, Math.min(width, target.length - first));
    best.fill(0, 0, from);
    best.fill(0, to);
    above.fill(never, to);
    const base = query[i] < 4 ? query[i] : -1;
    let left: number = never;
    let beside = 0;
    for (let b = from; b < to; b++) {
      let direction = 0;
      let gapAbove = best[b + 1] - gapStart;
      if (above[b + 1] - gapExtend > gapAbove) {
        gapAbove = above[b + 1] - gapExtend;
        direction = aboveGoesOn;
      }
      let gapLeft = beside - gapStart;
      if (left - gapExtend > gapLeft) {
        gapLeft = left - gapExtend;
        direction |= leftGoesOn;
      }
      let value = best[b] + (base === target[first + b] ? match : mismatch);
      let source = fromDiagonal;
      if (gapLeft > value) {
        value = gapLeft;
        source = fromLeft;
      }
      if (gapAbove > value) {
        value = gapAbove;
        source = fromAbove;
      }
      if (value <= 0) {
        value = 0;
        source = 0;
      }
      directions[i * width + b] = direction | source;
      above[b] = gapAbove;
      left = gapLeft;
      best[b] = beside = value;
      if (value > score) {
        score = value;
        at = i * width + b;
      }
    }
  }
  return { score, row: Math.floor(at / width), column: at % width };
}

function traceBack({ query, target, diagonal, halfWidth }: Band, directions: Uint8Array, row: number, column: number): { identity: number; coverage: number } {
  const width = 2 * halfWidth + 1;
  let [i, b, columns, equal, start] = [row, column, 0, 0, row + 1];
  let state = 0; // 0 in a cell, otherwise inside the gap of that direction
  while (i >= 0) {
    const direction = directions[i * width + b];
    const move = state || direction & 3;
    if (move === 0) break;
    if (state === 0 && move !== fromDiagonal) {
      state = move;
      continue;
    }
    columns++;
    if (move === fromDiagonal) {
      if (query[i] === target[i + diagonal - halfWidth + b] && query[i] < 4) equal++;
      start = i--;
    } else if (move === fromAbove) {
      if (!(direction & aboveGoesOn)) state = 0;
      start = i--;
      b++;
    } else {
      if (!(direction & leftGoesOn)) state = 0;
      b--;
    }
  }
  return { identity: columns === 0 ? 0 : equal / columns, coverage: query.length === 0 ? 0 : (row + 1 - start) / query.length };
}
