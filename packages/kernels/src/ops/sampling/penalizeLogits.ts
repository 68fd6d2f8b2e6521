import { apply, checkTensors, type Op } from '../../op';
import { byRows, checkFloats, checkShape, linearGrid } from '../check';
import { eachElement } from '../elementwise/eachElement';
import { perRow, type PerRow } from './perRow';
import { bytesOf, type Tensor } from '../../tensor';
import { array, call, input, output } from '../../devices/wasm/plan';
import shader from './penalizeLogits.wgsl';

/** What is held against an id; one number for all rows, or one for each. */
export interface Penalties {
  /** For each row, the ids that it has seen and how often it has made them itself: 0 for what stands in its prompt alone. */
  readonly counts?: readonly ReadonlyMap<number, number>[];
  /** Positive logits of seen ids are divided by this, negative ones multiplied (Keskar et al. 2019, arXiv 1909.05858); 1 is none. */
  readonly repetition?: PerRow;
  /** Subtracted from the logits of ids that it has made. */
  readonly presence?: PerRow;
  /** Subtracted once for each time that it has made an id. */
  readonly frequency?: PerRow;
  /** For each row, ids that must not come. */
  readonly blocked?: readonly ArrayLike<number>[];
}

/** A copy of `logits [rows, vocab]` with penalties, in the order of vLLM: repetition, frequency, presence; then blocked ids become -Infinity. */
export function penalizeLogits(logits: Tensor, { counts = [], repetition = 1, presence = 0, frequency = 0, blocked = [] }: Penalties): Tensor {
  checkTensors('penalizeLogits', [logits]);
  const [rows] = logits.shape;
  for (const [name, list] of Object.entries({ counts, blocked })) {
    if (list.length && list.length !== rows) throw new RangeError(`penalizeLogits: expected ${name} for each of ${rows} rows, got ${list.length}; an empty one leaves a row as it is`);
  }
  const entries: number[] = [];
  for (let row = 0; row < rows; row++) {
    const never = new Set(Array.from(blocked[row] ?? []));
    for (const id of never) entries.push(row, id, -1);
    for (const [id, count] of counts[row] ?? []) if (count >= 0 && !never.has(id)) entries.push(row, id, count);
  }
  const factors = new Float32Array(3 * rows);
  [repetition, presence, frequency].forEach((values, i) => perRow('penalizeLogits', values, rows).forEach((value, row) => { factors[3 * row + i] = value; }));
  return apply(penalizeLogitsOp, [logits], { entries: Int32Array.from(entries), factors })[0];
}

interface PenaltyAttributes {
  /** Row, id, and how often it was made, or -1 for never; each id of a row once. */
  readonly entries: Int32Array;
  /** Repetition, presence and frequency of each row. */
  readonly factors: Float32Array;
}

/** Those of rows `first` to `end`, counted from there. */
function entriesOf(entries: Int32Array, first: number, end: number): Int32Array {
  const own: number[] = [];
  for (let i = 0; i < entries.length; i += 3) if (entries[i] >= first && entries[i] < end) own.push(entries[i] - first, entries[i + 1], entries[i + 2]);
  return Int32Array.from(own);
}

const copy = eachElement({ reads: ['x'], value: 'x[i]' });

const penalizeLogitsOp: Op<PenaltyAttributes> = {
  name: 'penalizeLogits',
  rowwise: (inputs, { entries, factors }) => ({ ...byRows(0)(inputs), part: (first, end) => ({ entries: entriesOf(entries, first, end), factors: factors.slice(3 * first, 3 * end) }) }),
  infer([logits], { entries }) {
    checkFloats('penalizeLogits', { logits });
    const { vocab } = checkShape('penalizeLogits', 'logits', logits, ['rows', 'vocab']);
    for (let i = 1; i < entries.length; i += 3) if (entries[i] < 0 || entries[i] >= vocab) throw new RangeError(`penalizeLogits: expected ids in [0, ${vocab}), got ${entries[i]}; ids count the columns of the logits`);
    return [logits];
  },
  reference([logits], [y], { entries, factors }, [{ shape: [, vocab] }]) {
    y.set(logits);
    for (let i = 0; i < entries.length; i += 3) {
      const [at, count] = [entries[i] * vocab + entries[i + 1], entries[i + 2]];
      const [repetition, presence, frequency] = factors.subarray(3 * entries[i]);
      y[at] = count < 0 ? -Infinity : (y[at] > 0 ? y[at] / repetition : y[at] * repetition) - frequency * count - (count > 0 ? presence : 0);
    }
  },
  wasm: ([logits], _outputs, { entries, factors }) => ({
    steps: [call('copyInto', [input(0), output(0)], [0, 0, bytesOf(logits)], 1), call('penalizeLogits', [output(0), array(entries), array(factors)], [entries.length / 3, logits.shape[1]], 1)],
  }),
  webgpu(inputs, outputs, attributes) {
    const { entries, factors } = attributes, count = entries.length / 3;
    const penalise = { shader, params: { count, vocab: inputs[0].shape[1], minusInfinity: -Infinity }, arrays: { entries, factors }, bind: [{ output: 0 }], workgroups: linearGrid(count) };
    return { steps: [...copy(inputs, outputs, attributes).steps, ...(count ? [penalise] : [])] };
  },
};
