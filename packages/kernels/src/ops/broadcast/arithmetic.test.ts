import { devices } from '../../../test/devices';
import { add, broadcastTo, createReferenceDevice, div, max, mean, mul, read, sub, sum, tensor, zeros, type Tensor } from '../../index';
import { describeOp, type OpCase } from '../../testing';

const shapes: readonly (readonly [readonly number[], readonly number[]])[] = [[[3, 5], [5]], [[4, 1], [1, 7]], [[2, 3, 4], [2, 1, 4]], [[2, 3, 4, 5], [3, 1, 1]], [[], [6]], [[9, 1, 2], [1, 33, 1]]];
const named = (name: string, f: (a: Tensor, b: Tensor) => Tensor, chosen: typeof shapes = shapes.slice(2, 4)): OpCase[] => chosen.map(([a, b]) => ({ name: `${name} of [${a.join()}] and [${b.join()}]`, inputs: { a, b }, run: (p) => f(p.a, p.b) }));

describeOp('broadcasting arithmetic', [
  ...named('add', add, shapes), ...named('sub', sub), ...named('mul', mul),
  ...shapes.slice(0, 2).map(([a, b]): OpCase => ({ name: `div of [${a.join()}] and [${b.join()}]`, inputs: { a, b }, run: (p) => div(p.a, add(mul(p.b, p.b), tensor(p.b.device, [0.5]))), tolerance: 1e-5 })),
  { name: 'div, one shape', inputs: { a: [3, 4] }, run: ({ a }) => div(a, add(a, tensor(a.device, [3]))) },
  { name: 'repeated', inputs: { x: [2, 1, 3] }, run: ({ x }) => broadcastTo(x, [4, 2, 5, 3]) },
  { name: 'no elements', inputs: { a: [0, 3], b: [3] }, run: ({ a, b }) => add(a, b), differentiable: false },
], devices);

const axes: readonly (readonly [readonly number[], readonly number[]])[] = [[[3, 70], [1]], [[70, 3], [0]], [[3, 5, 20], [1]], [[3, 5, 20], [0, 2]], [[2, 3, 4, 5], [-1, 1]], [[7], [0]], [[300, 2, 1], [0, 1, 2]]];

describeOp('reductions over axes', [
  ...axes.map(([shape, over], i): OpCase => ({ name: `sum of [${shape.join()}] over ${over.join()}`, inputs: { x: shape }, run: ({ x }) => sum(x, { axes: over, keepDims: i % 2 === 0 }), tolerance: 4e-6 })),
  ...axes.slice(2, 5).map(([shape, over], i): OpCase => ({ name: `max of [${shape.join()}] over ${over.join()}`, inputs: { x: shape }, run: ({ x }) => max(x, { axes: over, keepDims: i % 2 === 1 }) })),
  { name: 'mean', inputs: { x: [4, 6] }, run: ({ x }) => mean(x, { axes: [1] }) },
  { name: 'mean of all', inputs: { x: [4, 6] }, run: ({ x }) => mean(x), tolerance: 1e-5 },
  { name: 'equal ones share the gradient of max', inputs: { x: [1, 6] }, run: ({ x }) => max(broadcastTo(x, [3, 6]), { axes: [0] }), differentiable: false },
  { name: 'no rows', inputs: { x: [0, 6] }, run: ({ x }) => sum(x, { axes: [1] }), differentiable: false },
], devices);

test.each(Object.entries(devices))('of no elements the sum is 0 and the largest -Infinity; a NaN stays, on %s', async (_kind, create) => {
  const device = await create();
  expect([...(await read(sum(zeros(device, [2, 0]), { axes: [1] })))]).toEqual([0, 0]);
  expect([...(await read(max(zeros(device, [2, 0]), { axes: [1] })))]).toEqual([-Infinity, -Infinity]);
  expect([...(await read(max(tensor(device, [1, NaN, 3, 4, 5, -Infinity], [3, 2]), { axes: [1] })))]).toEqual([NaN, 4, 5]);
  await device.destroy();
});

test('shapes that do not meet are refused', () => {
  const device = createReferenceDevice();
  const [a, b] = [zeros(device, [2, 3]), zeros(device, [2])];
  expect(() => add(a, b)).toThrow('add: expected a and b of one shape, got [2, 3] and [2]; axes that differ must be 1');
  expect(() => broadcastTo(a, [3, 3])).toThrow('broadcastTo: expected a and b of one shape, got [2, 3] and [3, 3]');
  expect(() => broadcastTo(a, [3])).toThrow('broadcastTo: expected axes of 1 or of the wanted length, got [2, 3] for [3]');
  expect(() => sum(a, { axes: [2] })).toThrow('sum: expected axes of [2, 3], got 2');
});
