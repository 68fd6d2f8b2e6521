// Attention in two launches, nothing of queries by keys: the log-sum-exp of each row by an online softmax, then the weighted values.
// But: gpu.js computes one number a thread, so every score is computed again for each element of a head: headDim / 2 times the arithmetic of the other devices.
import { attentionLayout, eachQuery, type AttentionAttributes } from '../../ops/attention/layout';
import { input, output } from '../wasm/plan';
import { read, readArray, type Launch } from './launch';
import type { Plan } from '../../op';
import type { TensorSpec } from '../../tensor';

/** `ranges` holds, for each row: first key, end of keys, position among the keys, and 0 or, where there is no key, -Infinity. `heads`: slope, head of the keys, head of the values. */
const score = `let score = 0;
      for (let i = 0; i < this.constants.headDim; i++) { score += query[row][head][i] * key[k][keyHead][i]; }
      score = score * this.constants.softmaxScale - slope * Math.abs(k - position);`;

const logSumExp = `function (query, key, ranges, heads) {
    const row = this.thread.y;
    const head = this.thread.x;
    const keyHead = heads[head][1];
    const slope = heads[head][0];
    const first = ranges[row][0];
    const end = ranges[row][1];
    const position = ranges[row][2];
    if (end <= first) { return ranges[row][3]; }
    let max = -3.4e38;
    let total = 0;
    for (let k = first; k < end; k++) {
      ${score}
      if (score > max) { total = total * Math.exp(max - score); max = score; }
      total += Math.exp(score - max);
    }
    return max + Math.log(total);
  }`;

const weightedValues = `function (query, key, value, logSumExp, ranges, heads) {
    const row = this.thread.z;
    const head = this.thread.y;
    const keyHead = heads[head][1];
    const valueHead = heads[head][2];
    const slope = heads[head][0];
    const first = ranges[row][0];
    const end = ranges[row][1];
    const position = ranges[row][2];
    const all = logSumExp[row][head];
    let weighted = 0;
    for (let k = first; k < end; k++) {
      ${score}
      weighted += Math.exp(score - all) * value[k][valueHead][this.thread.x];
    }
    return weighted;
  }`;

export function attention(inputs: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: AttentionAttributes): Plan<Launch> {
  const { packed, totalTokens, totalKeys, numHeads, numKvHeads, headDim } = attentionLayout(inputs, attributes);
  const ranges = new Float32Array(4 * totalTokens);
  eachQuery(attributes, (row, first, end, position) => ranges.set([first, end, position, end > first ? 0 : -Infinity], 4 * row));
  const heads = Float32Array.from({ length: 3 * numHeads }, (_, i) => {
    const head = Math.floor(i / 3);
    const shared = Math.floor(head / (numHeads / numKvHeads));
    return i % 3 === 0 ? (attributes.alibiSlopes[head] ?? 0) : packed ? (i % 3) * numHeads + head : shared;
  });
  const own = (index: number) => (packed ? read(input(0), headDim, 3 * numHeads, totalTokens) : read(input(index), headDim, index ? numKvHeads : numHeads, index ? totalKeys : totalTokens));
  const constants = { headDim, softmaxScale: attributes.softmaxScale };
  const tables = [readArray(ranges, 4), readArray(heads, 3)];
  return {
    steps: [
      { text: logSumExp, constants, reads: [own(0), own(1), ...tables], to: output(1), size: [numHeads, totalTokens] },
      { text: weightedValues, constants, reads: [own(0), own(1), own(2), read(output(1), numHeads, totalTokens), ...tables], to: output(0), size: [headDim, numHeads, totalTokens] },
    ],
  };
}
