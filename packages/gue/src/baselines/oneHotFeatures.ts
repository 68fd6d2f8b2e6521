import { baseCode } from '../baseCode';
import type { Example } from '../classifier';
import { sparseMatrix, type SparseCounts } from './designMatrix';
import type { Features } from './linearBaseline';

/** Which base stands at which position: a 1 for each. Positions beyond the longest training item are left out; the second sequence of a pair follows the first. */
export function oneHotFeatures(): Features {
  return {
    learn(train) {
      const first = train.reduce((longest, { sequence }) => Math.max(longest, sequence.length), 0);
      const second = train.reduce((longest, { pair = '' }) => Math.max(longest, pair.length), 0);
      const columns = 4 * (first + second);
      if (columns > 65536) throw new RangeError(`onehot: expected items of at most 16384 bases, got ${columns / 4}; use the k-mer baseline`);
      const scales = new Float64Array(columns).fill(1);
      const matrixOf = (examples: readonly Example[]) => sparseMatrix(markBases(examples, first, second), scales);
      return { trainMatrix: matrixOf(train), matrixOf };
    },
  };
}

/** Which base stands at which of the first `first` and (of a pair's other sequence) `second` positions. */
export function markBases(examples: readonly Example[], first: number, second: number): SparseCounts {
  const rowStarts = new Uint32Array(examples.length + 1);
  const columnIndices = new Uint16Array(examples.length * (first + second));
  let entries = 0;
  const mark = (sequence: string, from: number, length: number): void => {
    for (let position = 0; position < Math.min(length, sequence.length); position++) {
      const base = baseCode(sequence, position);
      if (base < 4) columnIndices[entries++] = 4 * (from + position) + base;
    }
  };
  examples.forEach(({ sequence, pair = '' }, row) => {
    mark(sequence, 0, first);
    mark(pair, first, second);
    rowStarts[row + 1] = entries;
  });
  return { rows: examples.length, columns: 4 * (first + second), rowStarts, columnIndices, counts: new Uint16Array(entries).fill(1), rowScales: new Float64Array(examples.length).fill(1) };
}
