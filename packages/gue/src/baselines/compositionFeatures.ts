import type { Example } from '../classifier';
import { denseMatrix, inverseDeviations } from './designMatrix';
import type { Features } from './linearBaseline';

/**
 * Three numbers a sequence: GC content, CpG dinucleotides a base, and GC skew (G - C) / (G + C), each divided by its standard deviation in the training set.
 * What they reach, a model reaches without reading any motif.
 */
export function compositionFeatures(): Features {
  return {
    learn(train) {
      const blocks = train.some((example) => example.pair !== undefined) ? 2 : 1;
      const columns = 3 * blocks;
      const values = composition(train, blocks);
      const scales = inverseDeviations(train.length, columns, (visit) => values.forEach((value, i) => visit(i % columns, value)));
      return { trainMatrix: denseMatrix(values, columns, scales), matrixOf: (examples) => denseMatrix(composition(examples, blocks), columns, scales) };
    },
  };
}

/** `[examples, 3 blocks]` */
function composition(examples: readonly Example[], blocks: number): Float64Array {
  const values = new Float64Array(examples.length * 3 * blocks);
  examples.forEach(({ sequence, pair = '' }, row) => [sequence, pair].slice(0, blocks).forEach((bases, block) => {
    const upper = bases.toUpperCase();
    let [g, c, cpg] = [0, 0, 0];
    for (let i = 0; i < upper.length; i++) {
      if (upper[i] === 'G') g++;
      if (upper[i] === 'C') c++;
      if (upper[i] === 'G' && upper[i - 1] === 'C') cpg++;
    }
    const at = (row * blocks + block) * 3;
    values[at] = (g + c) / Math.max(1, upper.length);
    values[at + 1] = cpg / Math.max(1, upper.length);
    values[at + 2] = (g - c) / Math.max(1, g + c);
  }));
  return values;
}
