import { baseCode } from '../baseCode';
import type { Example } from '../classifier';
import { inverseDeviations, scaleRows, sparseMatrix, type DesignMatrix, type SparseCounts } from './designMatrix';
import type { Features } from './linearBaseline';

/**
 * The share of each k-mer among all k-mers of an item, for k from `minK` to `maxK`, divided by the column's standard deviation in the training set and not centred.
 * A k-mer with an ambiguous letter is left out. The second sequence of a pair has columns of its own.
 */
export function kmerFeatures(minK: number, maxK: number): Features {
  return {
    learn(train) {
      const blocks = train.some((example) => example.pair !== undefined) ? 2 : 1;
      const scales = scalesOf(countKmers(train, blocks, minK, maxK));
      const matrixOf = (examples: readonly Example[]) => suffixMatrix(countKmers(examples, blocks, minK, maxK, { longestOnly: true }), scales, { blocks, minK, maxK });
      return { trainMatrix: matrixOf(train), matrixOf };
    },
  };
}

const scalesOf = ({ rows, columns, rowStarts, columnIndices, counts, rowScales }: SparseCounts): Float64Array => inverseDeviations(rows, columns, (visit) => {
  for (let row = 0; row < rows; row++) for (let entry = rowStarts[row]; entry < rowStarts[row + 1]; entry++) visit(columnIndices[entry], counts[entry] * rowScales[row]);
});

/**
 * The matrix of all k-mers, from the longest at each position alone: shorter ones that end there are its suffixes. So a weight is that of a longest k-mer and of all its suffixes,
 * and a count goes to all of them: a quarter of the entries and of the time for 3- to 6-mers.
 */
function suffixMatrix(longest: SparseCounts, scales: Float64Array, { blocks, minK, maxK }: { readonly blocks: number; readonly minK: number; readonly maxK: number }): DesignMatrix {
  const matrix = sparseMatrix(longest, new Float64Array(longest.columns).fill(1));
  // [k-mer's column, its suffix's column], the shortest k-mers first
  const suffixes: [number, number][] = [];
  for (let k = minK + 1, start = 4 ** minK, before = 0; k <= maxK; before = start, start += 4 ** k, k++)
    for (let block = 0; block < blocks; block++)
      for (let code = 0; code < 4 ** k; code++) suffixes.push([0, 1].map((shorter) => (block * longest.columns) / blocks + (shorter ? before + (code % 4 ** (k - 1)) : start + code)) as [number, number]);
  const words = Uint16Array.from(suffixes, ([word]) => word);
  const ends = Uint16Array.from(suffixes, ([, end]) => end);
  return {
    rows: longest.rows, columns: longest.columns,
    multiply(weights, outputs, result) {
      const sums = scaleRows(weights.slice(), scales, outputs);
      for (let i = 0; i < words.length; i++) for (let output = 0; output < outputs; output++) sums[words[i] * outputs + output] += sums[ends[i] * outputs + output];
      matrix.multiply(sums, outputs, result);
    },
    multiplyTransposed(values, outputs, result) {
      matrix.multiplyTransposed(values, outputs, result);
      for (let i = words.length - 1; i >= 0; i--) for (let output = 0; output < outputs; output++) result[ends[i] * outputs + output] += result[words[i] * outputs + output];
      scaleRows(result, scales, outputs);
    },
  };
}

/**
 * Counts all k-mers of each item. Columns: k ascending, then the k-mer as a number of base 4, then the block of the pair.
 * @param options.longestOnly - at each position only the longest k-mer that ends there; the scales stay those of all
 */
export function countKmers(examples: readonly Example[], blocks: number, minK: number, maxK: number, { longestOnly = false } = {}): SparseCounts {
  let blockColumns = 0;
  for (let k = minK; k <= maxK; k++) blockColumns += 4 ** k;
  const columns = blocks * blockColumns;
  const sizes = Array.from({ length: maxK + 1 }, (_, k) => 4 ** k); // once: powers inside the loop cost more than the counting
  const tally = new Uint16Array(columns);
  const touched = new Uint16Array(columns);
  let [distinct, total] = [0, 0];
  const tallySequence = (sequence: string, block: number): void => {
    let code = 0;
    let known = 0; // Unambiguous letters up to here.
    for (let position = 0; position < sequence.length; position++) {
      const base = baseCode(sequence, position);
      known = base === 4 ? 0 : known + 1;
      code = ((code << 2) | (base & 3)) & (sizes[maxK] - 1);
      let offset = block * blockColumns;
      const longest = Math.min(maxK, known);
      for (let k = minK; k <= longest; k++) {
        total++;
        if (!longestOnly || k === longest) {
          const column = offset + (code & (sizes[k] - 1));
          if (tally[column] === 0) touched[distinct++] = column;
          if (tally[column] < 65535) tally[column]++;
        }
        offset += sizes[k];
      }
    }
  };
  const forEachRow = (visit: (row: number) => void): void => examples.forEach(({ sequence, pair }, row) => {
    [distinct, total] = [0, 0];
    tallySequence(sequence, 0);
    if (pair !== undefined) tallySequence(pair, 1);
    visit(row);
    for (let i = 0; i < distinct; i++) tally[touched[i]] = 0;
  });
  // Twice over the sequences: sizes first, so that the entries need no copy.
  const rowStarts = new Uint32Array(examples.length + 1);
  forEachRow((row) => (rowStarts[row + 1] = rowStarts[row] + distinct));
  const columnIndices = new Uint16Array(rowStarts[examples.length]);
  const counts = new Uint16Array(columnIndices.length);
  const rowScales = new Float64Array(examples.length);
  forEachRow((row) => {
    for (let i = 0; i < distinct; i++) {
      columnIndices[rowStarts[row] + i] = touched[i];
      counts[rowStarts[row] + i] = tally[touched[i]];
    }
    rowScales[row] = total === 0 ? 0 : 1 / total;
  });
  return { rows: examples.length, columns, rowStarts, columnIndices, counts, rowScales };
}
