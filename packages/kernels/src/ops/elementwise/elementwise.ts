// Ops that treat every element alike. One table; each row is a definition, and the plans are made from it.
import { apply, type Op } from '../../op';
import { byElements, checkFloats, checkSame } from '../check';
import { eachElement } from './eachElement';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import { sizeOf, type Tensor } from '../../tensor';

interface Factor {
  readonly factor: number;
}

/** `a + b`, same shapes. What users call is in broadcast/operators.ts. */
export const add = (a: Tensor, b: Tensor): Tensor => apply(addOp, [a, b], {})[0];

/** `a - b`, same shapes. */
export const sub = (a: Tensor, b: Tensor): Tensor => apply(subOp, [a, b], {})[0];

/** `a * b`, same shapes. */
export const mul = (a: Tensor, b: Tensor): Tensor => apply(mulOp, [a, b], {})[0];

/** `x [...] * factor`, for a host number. */
export const scale = (x: Tensor, factor: number): Tensor => apply(scaleOp, [x], { factor })[0];

/** Sets every element of `x [...]`, in place, and returns its argument. */
export function fill(x: Tensor, factor: number): Tensor {
  apply(fillOp, [x], { factor });
  return x;
}

/** `target [...] += x`, of the same shape, in place. */
export const accumulate = (target: Tensor, x: Tensor): void => void apply(accumulateOp, [target, x], {});

const addOp: Op = {
  name: 'add',
  rowwise: byElements(0, 1),
  infer([a, b]) {
    checkSame('add', { a, b });
    return [a];
  },
  reference([a, b], [y]) {
    for (let i = 0; i < y.length; i++) y[i] = a[i] + b[i];
  },
  wasm: ([a]) => one('add', [input(0), input(1), output(0)], [sizeOf(a)], partsFor(sizeOf(a))),
  webgpu: eachElement({ reads: ['a', 'b'], value: 'a[i] + b[i]' }),
  backward: (d) => [d, d],
};

const subOp: Op = {
  name: 'sub',
  rowwise: byElements(0, 1),
  infer([a, b]) {
    checkSame('sub', { a, b });
    return [a];
  },
  reference([a, b], [y]) {
    for (let i = 0; i < y.length; i++) y[i] = a[i] - b[i];
  },
  wasm: ([a]) => one('sub', [input(0), input(1), output(0)], [sizeOf(a)], partsFor(sizeOf(a))),
  webgpu: eachElement({ reads: ['a', 'b'], value: 'a[i] - b[i]' }),
  backward: (d, _saved, _attributes, [, needsB]) => [d, needsB ? scale(d, -1) : null],
};

const mulOp: Op = {
  name: 'mul',
  rowwise: byElements(0, 1),
  saves: ([needsA, needsB]) => ({ inputs: [...(needsB ? [0] : []), ...(needsA ? [1] : [])] }),
  infer([a, b]) {
    checkSame('mul', { a, b });
    return [a];
  },
  reference([a, b], [y]) {
    for (let i = 0; i < y.length; i++) y[i] = a[i] * b[i];
  },
  wasm: ([a]) => one('mul', [input(0), input(1), output(0)], [sizeOf(a)], partsFor(sizeOf(a))),
  webgpu: eachElement({ reads: ['a', 'b'], value: 'a[i] * b[i]' }),
  backward: (d, { inputs: [a, b] }, _attributes, [needsA, needsB]) => [needsA ? mul(d, b) : null, needsB ? mul(d, a) : null],
};

export const scaleOp: Op<Factor> = {
  name: 'scale',
  rowwise: byElements(0),
  infer([x]) {
    checkFloats('scale', { x });
    return [x];
  },
  reference([x], [y], { factor }) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] * factor;
  },
  wasm: ([x], _outputs, { factor }) => one('scale', [input(0), output(0)], [sizeOf(x), factor], partsFor(sizeOf(x))),
  webgpu: eachElement({ reads: ['x'], value: 'x[i] * params.factor', params: ['factor'] }),
  backward: (d, _saved, { factor }) => [scale(d, factor)],
};

const fillOp: Op<Factor> = {
  name: 'fill',
  rowwise: byElements(0),
  mutates: [0],
  infer([x]) {
    checkFloats('fill', { x });
    return [];
  },
  reference([x], _outputs, { factor }) {
    x.fill(factor);
  },
  wasm: ([x], _outputs, { factor }) => one('fill', [input(0)], [sizeOf(x), factor], partsFor(sizeOf(x))),
  webgpu: eachElement({ reads: [], value: 'params.factor', inPlace: true, params: ['factor'] }),
};

export const accumulateOp: Op = {
  name: 'accumulate',
  rowwise: byElements(0, 1),
  mutates: [0],
  infer([target, x]) {
    checkSame('accumulate', { target, x });
    return [];
  },
  reference([target, x]) {
    for (let i = 0; i < x.length; i++) target[i] += x[i];
  },
  wasm: ([x]) => one('add', [input(0), input(1), input(0)], [sizeOf(x)], partsFor(sizeOf(x))),
  webgpu: eachElement({ reads: ['x'], value: 'y[i] + x[i]', inPlace: true }),
};
