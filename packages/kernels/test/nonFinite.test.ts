// A NaN or an infinity must come out where the definition puts it: a kernel that drops one hides a diverging training run.
import { accumulate, adamW, add, addRmsNorm, addRow, attention, averagePool1d, broadcastTo, cast, concat, conv1d, createReferenceDevice, crossEntropy, div, dropout, embedding, free, filterLogits, geglu, gelu, layerNorm, linear, linearCrossEntropy, matmul, max, maxPool1d, mean, mul, mulRow, ones, pagedAttention, penalizeLogits, quantizeRows, read, reshape, rmsNorm, rotary, rotaryTable, scale, segmentMean, silu, slice, softmax, squaredNorm, sub, sum, sumRows, sumSquares, swiglu, tanh, tensor, valueAndGrad, zeros, type Device, type Tensor } from '../src';
import { allClose, testNumbers } from '../src/testing';
import { devices } from './devices';

const shape = [6, 8];
const ops: Record<string, (x: Tensor, device: Device) => Tensor> = {
  sum: (x) => sum(x),
  sumRows: (x) => sumRows(x),
  linear: (x, device) => linear(x, tensor(device, testNumbers(2, 40), [5, 8])),
  layerNorm: (x, device) => layerNorm(x, tensor(device, testNumbers(3, 8)), zeros(device, [8])),
  rmsNorm: (x, device) => rmsNorm(x, ones(device, [8]), { residual: x }),
  rotary: (x, device) => rotary(reshape(x, [6, 2, 4]), rotaryTable(device, { positions: 6, rotaryDim: 4 }), tensor(device, Uint32Array.of(0, 1, 2, 3, 4, 5))),
  softmax: (x) => softmax(x),
  addRow: (x, device) => addRow(x, ones(device, [8])),
  mulRow: (x, device) => mulRow(x, ones(device, [8])),
  addRmsNorm: (x, device) => addRmsNorm(x, x, ones(device, [8])).output,
  scale: (x) => scale(x, 0),
  sub: (x, device) => sub(x, ones(device, [6, 8])),
  accumulate: (x, device) => { const y = ones(device, [6, 8]); accumulate(y, x); return y; },
  matmul: (x, device) => matmul(x, tensor(device, testNumbers(2, 24), [8, 3])),
  sumSquares: (x) => sumSquares(x),
  penalizeLogits: (x) => penalizeLogits(x, { counts: Array.from({ length: 6 }, () => new Map([[4, 1]])), presence: 1 }),
  pagedAttention: (x, device) => pagedAttention({ query: reshape(x, [6, 2, 4]), keyCache: tensor(device, testNumbers(4, 64), [16, 1, 4]), valueCache: tensor(device, testNumbers(5, 64), [16, 1, 4]) }, { cuSeqlens: [0, 6], contextLengths: [9], blockTable: [0] }),
  'add, repeated': (x, device) => add(x, ones(device, [8])),
  'mul, repeated': (x, device) => mul(x, zeros(device, [6, 1])),
  div: (x) => div(x, x),
  broadcastTo: (x) => broadcastTo(reshape(x, [6, 1, 8]), [6, 2, 8]),
  'sum over an axis': (x) => sum(x, { axes: [1] }),
  'max over an axis': (x) => max(x, { axes: [0] }),
  mean: (x) => mean(x),
  'cast to 16 bits and back': (x) => cast(cast(x, 'float16'), 'float32'),
  'linear with weights of 16 bits': (x, device) => linear(x, cast(tensor(device, testNumbers(2, 40), [5, 8]), 'bfloat16')),
  'linear with weights of 8 bits': (x, device) => linear(x, { values: tensor(device, Int8Array.from(testNumbers(2, 40, 100)), [5, 8]), scales: ones(device, [5]) }),
  'linear with weights that were quantised': (x, device) => linear(ones(device, [2, 8]), quantizeRows(x)),
  filterLogits: (x) => filterLogits(x, { temperature: 0.5 }),
  'concat, slice': (x) => concat([slice(x, 1, 4), x]),
  linearCrossEntropy: (x, device) => linearCrossEntropy(x, tensor(device, testNumbers(2, 40), [5, 8]), tensor(device, Int32Array.of(1, 2, 3, 4, 0, -100))).sum,
  conv1d: (x, device) => conv1d(reshape(x, [1, 12, 4]), tensor(device, testNumbers(2, 24), [2, 3, 4]), undefined, { padding: 1 }),
  maxPool1d: (x) => maxPool1d(reshape(x, [2, 6, 4]), { size: 3, stride: 1, padding: 1 }),
  averagePool1d: (x) => averagePool1d(reshape(x, [2, 6, 4]), { size: 3, stride: 1, padding: 1 }),
  gelu: (x) => gelu(x),
  silu: (x) => silu(x),
  tanh: (x) => tanh(x),
  geglu: (x) => geglu(x),
  swiglu: (x) => swiglu(x),
  attention: (x, device) => attention({ query: reshape(x, [6, 2, 4]), key: tensor(device, testNumbers(4, 48), [6, 2, 4]), value: tensor(device, testNumbers(5, 48), [6, 2, 4]) }, { cuSeqlens: [0, 4, 6] }).output,
  'attention, keys': (x, device) => attention({ query: tensor(device, testNumbers(4, 48), [6, 2, 4]), key: reshape(x, [6, 2, 4]), value: tensor(device, testNumbers(5, 48), [6, 2, 4]) }, { cuSeqlens: [0, 4, 6], causal: true }).output,
  'logSumExp, keys': (x, device) => attention({ query: tensor(device, testNumbers(4, 48), [6, 2, 4]), key: reshape(x, [6, 2, 4]), value: tensor(device, testNumbers(5, 48), [6, 2, 4]) }, { cuSeqlens: [0, 4, 6], causal: true }).logSumExp,
  crossEntropy: (x, device) => crossEntropy(x, tensor(device, Int32Array.of(1, 2, 3, 4, 5, 6))).sum,
  segmentMean: (x) => segmentMean(x, [0, 2, 6]),
  dropout: (x) => dropout(x, 0.5, { seed: 1, step: 2, layer: 3 }),
  embedding: (x, device) => embedding(x, tensor(device, Uint32Array.of(5, 0, 2))),
};

const spoilt = (value: number) => testNumbers(1, 48).map((x, i) => (i === 20 ? value : x));

describe.each(Object.entries(devices).filter(([kind]) => kind !== 'reference'))('on %s', (_kind, create) => {
  let device: Device;
  const reference = createReferenceDevice();
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  test.each(Object.entries(ops))('%s passes a NaN on', async (name, op) => {
    const [expected, actual] = await Promise.all([reference, device].map((on) => read(op(tensor(on, spoilt(NaN), shape), on))));
    expect([...expected].some(Number.isNaN)).toBe(name !== 'dropout' || Number.isNaN(expected[20]));
    allClose(actual, expected, 1e-5, name);
  });

  test.each(['addRmsNorm', 'div', 'max over an axis', 'gelu', 'silu', 'tanh', 'geglu', 'layerNorm', 'rmsNorm', 'softmax', 'linearCrossEntropy', 'crossEntropy', 'attention', 'attention, keys'])('the gradient of %s passes a NaN on', async (name) => {
    const gradient = (on: Device) => read(valueAndGrad((x: Tensor) => {
      const y = ops[name](x, on);
      return sum(mul(y, tensor(on, testNumbers(9, y.shape.reduce((a, b) => a * b, 1)), y.shape)));
    })(tensor(on, spoilt(NaN), shape)).grads);
    const [expected, actual] = await Promise.all([gradient(reference), gradient(device)]);
    expect([...expected].some(Number.isNaN)).toBe(true);
    allClose(actual, expected, 1e-5, name);
  });

  test('sums and products keep infinities', async () => {
    for (const value of [Infinity, -Infinity]) {
      for (const name of ['sum', 'sumRows', 'segmentMean', 'embedding'] as const) {
        const [expected, actual] = await Promise.all([reference, device].map((on) => read(ops[name](tensor(on, spoilt(value), shape), on))));
        allClose(actual, expected, 1e-5, name);
      }
    }
  });

  test('clipping by a norm that is NaN spoils every parameter', async () => {
    const p = tensor(device, [1, 2]);
    const bad = squaredNorm([tensor(device, [NaN])]);
    adamW(p, tensor(device, [1, 1]), zeros(device, [2]), zeros(device, [2]), { learningRate: 0.1, step: 1, clip: { squaredNorm: bad, maxNorm: 1 } });
    expect([...(await read(p))]).toEqual([NaN, NaN]);
    free(p);
  });
});
