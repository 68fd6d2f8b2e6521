import { apply, checkTensors, type Op } from '../../op';
import { byRows, checkFloats, checkShape, linearGrid } from '../check';
import { perRow, type PerRow } from './perRow';
import { sizeOf, type Tensor } from '../../tensor';
import { array, input, one, output } from '../../devices/wasm/plan';
import shader from './filterLogits.wgsl';

/** Which ids may still come; one number for all rows, or one for each. */
export interface FilterOptions {
  /** By default 1; 0 leaves only the largest logit of the row, the first of equal ones. */
  readonly temperature?: PerRow;
  /** How many of the largest logits stay, and all that equal the last of them; 0, the default, or less is all. */
  readonly topK?: PerRow;
  /** Of these the fewest, from the largest on, whose probabilities add up to this (Holtzman et al. 2020, arXiv 1904.09751), and all that equal the last of them; 1, the default, is all. */
  readonly topP?: PerRow;
}

/**
 * `logits [rows, vocab]` divided by the temperature, with -Infinity wherever top-k and then top-p leave nothing: in the order of transformers.
 * Without sorting: both thresholds are found by bisection over the bits of a float. A row with a NaN stays whole.
 */
export function filterLogits(logits: Tensor, { temperature = 1, topK = 0, topP = 1 }: FilterOptions = {}): Tensor {
  checkTensors('filterLogits', [logits]);
  const [rows] = logits.shape;
  const options = new Float32Array(3 * rows);
  for (const [i, [name, values, from]] of ([['temperature', temperature, 0], ['topK', topK, -Infinity], ['topP', topP, 0]] as const).entries()) {
    perRow('filterLogits', values, rows).forEach((value, row) => {
      if (!(value >= from)) throw new RangeError(`filterLogits: expected ${name} of at least ${from}, got ${value}; leave it out to filter nothing`);
      options[3 * row + i] = value;
    });
  }
  return apply(filterLogitsOp, [logits], { options })[0];
}

const filterLogitsOp: Op<{ readonly options: Float32Array }> = {
  name: 'filterLogits',
  rowwise: (inputs, { options }) => ({ ...byRows(0)(inputs), part: (first, end) => ({ options: options.slice(3 * first, 3 * end) }) }),
  infer([logits]) {
    checkFloats('filterLogits', { logits });
    checkShape('filterLogits', 'logits', logits, ['rows', 'vocab']);
    return [logits];
  },
  reference([logits], [y], { options }, [{ shape: [rows, vocab] }]) {
    for (let row = 0; row < rows; row++) {
      const [temperature, topK, topP] = options.subarray(3 * row);
      const own = y.subarray(row * vocab, (row + 1) * vocab);
      const x = Float64Array.from(logits.subarray(row * vocab, (row + 1) * vocab));
      if (x.some(Number.isNaN)) {
        own.set(x);
        continue;
      }
      const largest = x.indexOf(x.reduce((a, b) => Math.max(a, b), -Infinity));
      x.forEach((value, i) => { own[i] = temperature > 0 ? value / temperature : i === largest ? 0 : -Infinity; });
      const sorted = [...own].sort((a, b) => b - a);
      const kept = topK > 0 ? sorted.filter((value) => value >= sorted[Math.min(topK, vocab) - 1]) : sorted;
      const weights = kept.map((value) => Math.exp(value - kept[0]));
      let left = topP < 1 ? topP * weights.reduce((a, b) => a + b, 0) : Infinity;
      const last = weights.findIndex((weight) => (left -= weight) <= 0);
      const threshold = kept[last < 0 ? kept.length - 1 : last];
      own.forEach((value: number, i: number) => { if (value < threshold) own[i] = -Infinity; });
    }
  },
  wasm: ([{ shape: [rows, vocab] }], _outputs, { options }) => one('filterLogits', [input(0), output(0), array(options)], [rows, vocab], Math.max(1, rows)),
  webgpu([logits], _outputs, { options }) {
    const [rows, vocab] = logits.shape;
    if (!sizeOf(logits)) return { steps: [] };
    return { steps: [{ shader, params: { rows, vocab, minusInfinity: -Infinity }, arrays: { options }, bind: [{ input: 0 }, { output: 0 }], workgroups: linearGrid(rows, 1), work: 70 * sizeOf(logits) }] };
  },
};
