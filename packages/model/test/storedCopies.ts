// Training that reads weights in 16 bits, for each device.
import { cast, createRandom, flatten, free, mapTree, read, scope, valueAndGrad, type Device, type Tensor, type Tree } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { causalLmLoss, createModel, maskedLmLoss, packBatch, smallConfig, type AnyModel, type CausalParams, type Params } from '../src';
import { isDecoder } from '../src/model';
import { linearLayers } from '../src/parameters';
import { storedCopies } from '../src/train/storedCopies';
import { tinyDecoder } from './tinyDecoder';
import type { Devices } from './devices';

export const kinds = ['encoder', 'decoder'] as const;

export const modelOf = (kind: (typeof kinds)[number], device: Device): AnyModel =>
  (kind === 'encoder' ? createModel({ ...smallConfig({ vocabSize: 69, maxPositions: 64 }), hiddenSize: 16, intermediateSize: 32, numHeads: 2, hiddenDropout: 0.1, initializerRange: 0.2 }, { device, seed: 1 }) : createModel({ ...tinyDecoder, initializerRange: 0.1 }, { device, seed: 1 }));

const random = createRandom(4);
const batch = packBatch([30, 17].map((length) => Uint32Array.from({ length }, () => 5 + random.integer(64))));
const lossOf = (model: AnyModel) => (params: Tree): Tensor => (isDecoder(model)
  ? causalLmLoss({ ...model, params: params as CausalParams }, batch)
  : maskedLmLoss({ ...model, params: params as Params }, batch, Array.from(batch.inputIds, (id, i) => (i % 5 ? 0 : id)), { train: { seed: 1, step: 1 } }));

/** Declares tests: copies in 16 bits give the loss and the gradients of a model whose weights were rounded and widened again, and leave nothing behind. */
export const describeStoredCopies = (devices: Devices): void => describe.each(Object.entries(devices))('16-bit copies on %s', (_kind, open) => {
  let device: Device;
  beforeAll(async () => { device = await open(); });
  afterAll(() => device.destroy());

  test.each(kinds.flatMap((kind) => (['float16', 'bfloat16'] as const).map((dtype) => [kind, dtype] as const)))('%s, %s', async (kind, dtype) => {
    const model = modelOf(kind, device);
    const params = model.params as Tree;
    const layers = new Set(linearLayers(params).values());
    expect(layers.size).toBe(2 * (kind === 'encoder' ? 4 : 7));
    const { live } = device.memory;
    const gradientsOf = async (of: () => Tree) => {
      const { value, grads } = scope<{ value: Tensor; grads: Tree }>(() => {
        const { value: loss, grads: found } = valueAndGrad<Tree>(lossOf(model))(of());
        return { value: loss, grads: found };
      });
      const numbers = await Promise.all([['loss', value] as const, ...flatten(grads)].map(async ([path, leaf]) => ({ path, dtype: leaf.dtype, values: Float32Array.from(await read(leaf)) })));
      free([value, grads]);
      expect(device.memory.live).toBe(live);
      return numbers;
    };
    const stored = await gradientsOf(() => storedCopies(params, dtype));
    const rounded = await gradientsOf(() => mapTree<Tree>(params, (leaf) => (layers.has(leaf) ? cast(cast(leaf, dtype), 'float32') : leaf)));
    const exact = await gradientsOf(() => params);
    stored.forEach(({ path, dtype: found, values }, i) => {
      expect([path, found]).toEqual([rounded[i].path, 'float32']);
      const largest = rounded[i].values.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
      allClose(values.map((x) => x / largest), rounded[i].values.map((x) => x / largest), 1e-5, path);
    });
    expect(stored[0].values[0]).not.toBe(exact[0].values[0]);
    free(params);
  });
});
