import { baseCode } from '../baseCode';
import type { Example } from '../classifier';
import { inverseDeviations, sparseMatrix, type SparseCounts } from './designMatrix';
import type { Features } from './linearBaseline';

/**
 * The share of each k-mer among all k-mers of an item, for k from `minK` to `maxK`, divided by the column's standard deviation in the training set and not centred.
 * A k-mer with an ambiguous letter is left out. The second sequence of a pair has columns of its own.
 */
export function kmerFeatures(minK: number, maxK: number): Features {
  return {
    learn(train) {
      const blocks = train.some((example) => example.pair !== undefined) ? 2 : 1;
      const count = (examples: readonly Example[]) => countKmers(examples, blocks, minK, maxK);
      const counted = count(train);
      const scales = inverseDeviations(counted.rows, counted.columns, (visit) => {
        for (let row = 0; row < counted.rows; row++)
          for (let entry = counted.rowStarts[row]; entry < counted.rowStarts[row + 1]; entry++) visit(counted.columnIndices[entry], counted.counts[entry] * counted.rowScales[row]);
      });
      return { trainMatrix: sparseMatrix(counted, scales), matrixOf: (examples) => sparseMatrix(count(examples), scales) };
    },
  };
}

/** Counts all k-mers of each item. Columns: k ascending, then the k-mer as a number of base 4, then the block of the pair. */
export function countKmers(examples: readonly Example[], blocks: number, minK: number, maxK: number): SparseCounts {
  let blockColumns = 0;
  for (let k = minK; k <= maxK; k++) blockColumns += 4 ** k;
  const columns = blocks * blockColumns;
  const sizes = Array.from({ length: maxK + 1 }, (_, k) => 4 ** k); // once: powers inside the loop cost more than the counting
  const tally = new Uint16Array(columns);
  const touched = new Uint16Array(columns);
  let distinct = 0;
  const tallySequence = (sequence: string, block: number): void => {
    let code = 0;
    let known = 0; // Unambiguous letters up to here.
    for (let position = 0; position < sequence.length; position++) {
      const base = baseCode(sequence, position);
      known = base === 4 ? 0 : known + 1;
      code = ((code << 2) | (base & 3)) & (sizes[maxK] - 1);
      let offset = block * blockColumns;
      for (let k = minK; k <= maxK && k <= known; k++) {
        const column = offset + (code & (sizes[k] - 1));
        if (tally[column] === 0) touched[distinct++] = column;
        if (tally[column] < 65535) tally[column]++;
        offset += sizes[k];
      }
    }
  };
  const forEachRow = (visit: (row: number) => void): void => examples.forEach(({ sequence, pair }, row) => {
    distinct = 0;
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
    let total = 0;
    for (let i = 0; i < distinct; i++) {
      columnIndices[rowStarts[row] + i] = touched[i];
      total += counts[rowStarts[row] + i] = tally[touched[i]];
    }
    rowScales[row] = total === 0 ? 0 : 1 / total;
  });
  return { rows: examples.length, columns, rowStarts, columnIndices, counts, rowScales };
}
