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
  const { score, cells, at } = fillBand(band);
  return { score, ...traceBack(band, cells, at) };
}

/** Cells in a row of the band, and one more that stays 0: nothing stands above the last. */
const strideOf = ({ halfWidth }: Band): number => 2 * halfWidth + 2;

/**
 * Scores of all cells, with a row of zeros before the first. Cell b of row i stands for target position i + diagonal - halfWidth + b, so its diagonal neighbour is cell b of the row above,
 * and the one above it cell b + 1. Sums and masks in place of branches: in rows rich in repeats nothing can be predicted, and branches take three times as long.
 * An audit of such a set spends nearly all its time here.
 */
function fillBand(band: Band): { score: number; cells: Int32Array; at: number } {
  const { query, target, diagonal, halfWidth } = band;
  const { match, mismatch, gapOpen, gapExtend } = alignmentScores;
  const gapStart = gapOpen + gapExtend;
  const matchBonus = match - mismatch;
  const stride = strideOf(band);
  const width = stride - 1;
  const cells = new Int32Array((query.length + 1) * stride);
  const above = new Int32Array(stride).fill(never);
  let score = 0;
  let at = 0;
  for (let i = 0; i < query.length; i++) {
    const first = i + diagonal - halfWidth;
    const from = Math.min(Math.max(0, -first), width);
    const to = Math.max(from, Math.min(width, target.length - first));
    above.fill(never, to);
    const base = query[i] < 4 ? query[i] : 8; // 8 equals no letter
    let left: number = never;
    let value = 0;
    for (let b = from, before = i * stride + from, cell = before + stride; b < to; b++, before++, cell++) {
      let better = above[b + 1] - gapExtend; // max(x, y) = x + max(0, y - x), and max(0, z) = z & ~(z >> 31)
      const fromAbove = cells[before + 1] - gapStart;
      better -= fromAbove;
      const gapAbove = fromAbove + (better & ~(better >> 31));
      left -= gapExtend;
      better = value - gapStart - left;
      left += better & ~(better >> 31);
      value = cells[before] + mismatch + (matchBonus & (((target[first + b] ^ base) - 1) >> 31));
      better = left - value;
      value += better & ~(better >> 31);
      better = gapAbove - value;
      value += better & ~(better >> 31);
      value &= ~(value >> 31);
      above[b] = gapAbove;
      cells[cell] = value;
      if (value > score) {
        score = value;
        at = cell;
      }
    }
  }
  return { score, cells, at };
}

/** From the best cell back to the first 0. Where several ways lead to a score: no gap before a gap in the query, that before one in the target, and the shortest. */
function traceBack(band: Band, cells: Int32Array, at: number): { identity: number; coverage: number } {
  const { query, target, diagonal, halfWidth } = band;
  const { match, mismatch, gapOpen, gapExtend } = alignmentScores;
  const stride = strideOf(band);
  const last = Math.floor(at / stride);
  let [columns, equal, cell] = [0, 0, at];
  /** How many cells of that distance lead to this one by a gap; undefined where none do. */
  const gapTo = (distance: number, most: number): number | undefined => {
    for (let length = 1; length <= most; length++) if (cells[cell - length * distance] - gapOpen - length * gapExtend === cells[cell]) return length;
    return undefined;
  };
  while (cells[cell] > 0) {
    const row = Math.floor(cell / stride);
    const b = cell - row * stride;
    const same = query[row - 1] < 4 && query[row - 1] === target[row - 1 + diagonal - halfWidth + b];
    if (cells[cell] === cells[cell - stride] + (same ? match : mismatch)) {
      columns++;
      if (same) equal++;
      cell -= stride;
      continue;
    }
    const left = gapTo(1, b);
    const length = left ?? gapTo(stride - 1, Math.min(row, stride - 2 - b))!;
    columns += length;
    cell -= length * (left === undefined ? stride - 1 : 1);
  }
  return { identity: columns === 0 ? 0 : equal / columns, coverage: query.length === 0 ? 0 : (last - Math.floor(cell / stride)) / query.length };
}
