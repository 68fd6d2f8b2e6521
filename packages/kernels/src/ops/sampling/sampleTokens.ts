// Sampling where the logits are: only ids and log-probabilities have to be read.
import { apply, checkTensors, type Op } from '../../op';
import { scope } from '../../scope';
import { threefry2x32 } from '../../random';
import { byRows, checkSame, checkShape, linearGrid } from '../check';
import { filterLogits, type FilterOptions } from './filterLogits';
import { penalizeLogits, type Penalties } from './penalizeLogits';
import { perRow, type PerRow } from './perRow';
import { float32, type Tensor } from '../../tensor';
import { array, input, one, output } from '../../devices/wasm/plan';
import shader from './drawTokens.wgsl';

/** `seed`, `sample` and `position` choose the random number of a row by counter (Threefry): it does not depend on the batch, and generating again gives the same. */
export interface SampleOptions extends FilterOptions, Penalties {
  readonly seed?: PerRow;
  /** Which sequence of the job a row belongs to. */
  readonly sample?: PerRow;
  /** Which token of the sequence this will be. */
  readonly position?: PerRow;
}

/**
 * One id for each row of `logits [rows, vocab]`, drawn after penalties, temperature, top-k and top-p; temperature 0 takes the largest logit, the first of equal ones.
 * @returns `ids [rows]` (uint32), and `logProbs [rows]`: log softmax(logits)[id], of the logits as they were given. A row with a NaN has NaN there.
 */
export function sampleTokens(logits: Tensor, options: SampleOptions = {}): { ids: Tensor; logProbs: Tensor } {
  const { temperature = 1, topK = 0, topP = 1, seed = 0, sample = 0, position = 0, counts, blocked } = options;
  checkTensors('sampleTokens', [logits]);
  const [rows] = logits.shape;
  const keys = new Int32Array(3 * rows);
  [seed, sample, position].forEach((values, i) => perRow('sampleTokens', values, rows).forEach((value, row) => { keys[3 * row + i] = value; }));
  return scope<{ ids: Tensor; logProbs: Tensor }>(() => {
    const penalised = counts || blocked ? penalizeLogits(logits, options) : logits;
    const filtered = filterLogits(penalised, { temperature, topK, topP });
    const [ids, logProbs] = apply(drawTokensOp, [filtered, logits], { keys });
    return { ids, logProbs };
  });
}

const drawTokensOp: Op<{ readonly keys: Int32Array }> = {
  name: 'sampleTokens',
  rowwise: (inputs, { keys }) => ({ ...byRows(0, 1)(inputs), part: (first, end) => ({ keys: keys.slice(3 * first, 3 * end) }) }),
  infer([filtered, logits], { keys }) {
    checkSame('sampleTokens', { filtered, logits });
    const { rows, vocab } = checkShape('sampleTokens', 'logits', logits, [keys.length / 3, 'vocab'], { rows: keys.length / 3 });
    if (rows && !vocab) throw new RangeError('sampleTokens: expected at least one id to choose from, got none');
    return [{ dtype: 'uint32', shape: [rows] }, float32(rows)];
  },
  reference([filtered, logits], [ids, logProbs], { keys }, [{ shape: [rows, vocab] }]) {
    for (let row = 0; row < rows; row++) {
      const [y, x] = [filtered, logits].map((data) => [...data.subarray(row * vocab, (row + 1) * vocab)]);
      const [topY, topX] = [y, x].map((values) => values.reduce((a, b) => Math.max(a, b), -Infinity));
      const weights = y.map((value) => Math.exp(value - topY));
      const [seed, sample, position] = keys.subarray(3 * row);
      let left = (((threefry2x32(seed, sample, position, 0)[0] >>> 8) + 0.5) / 2 ** 24) * weights.reduce((a, b) => a + b, 0);
      const id = Math.max(0, weights.findIndex((weight) => (left -= weight) < 0));
      ids[row] = id;
      logProbs[row] = Number.isNaN(topY) ? NaN : x[id] - topX - Math.log(x.reduce((sum, value) => sum + Math.exp(value - topX), 0));
    }
  },
  wasm: ([{ shape: [rows, vocab] }], _outputs, { keys }) => one('drawTokens', [input(0), input(1), array(keys), output(0), output(1)], [rows, vocab], Math.max(1, rows)),
  webgpu([{ shape: [rows, vocab] }], _outputs, { keys }) {
    if (!rows) return { steps: [] };
    return { steps: [{ shader, params: { rows, vocab, nan: NaN }, arrays: { keys }, bind: [{ input: 0 }, { input: 1 }, { output: 0 }, { output: 1 }], workgroups: linearGrid(rows, 1), work: 4 * rows * vocab }] };
  },
};
