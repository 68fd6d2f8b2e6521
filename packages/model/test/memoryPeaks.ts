// What estimateMemory claims, against real runs.
import { free, valueAndGrad, type Device, type Tree } from '@genomelm/kernels';
import { createModel, createOptimizer, dnabert2Config, dnaGrinderConfig, estimateMemory, forward, maskedLmLoss, packBatch, type EncoderConfig, type Params } from '../src';
import type { Devices } from './devices';

const sizes: Record<string, readonly [EncoderConfig, tokens: number]> = {
  'narrow, long': [{ ...dnabert2Config, vocabSize: 69, hiddenSize: 32, numLayers: 3, numHeads: 2, intermediateSize: 64 }, 700],
  'wide, short': [{ ...dnabert2Config, vocabSize: 512, hiddenSize: 96, numLayers: 2, numHeads: 4, intermediateSize: 128 }, 64],
  'as dnaGrinder, deep': [{ ...dnaGrinderConfig, vocabSize: 128, hiddenSize: 48, numLayers: 6, numHeads: 4, intermediateSize: 64 }, 200],
};
const near = (actual: number, expected: number) => { expect(actual / expected).toBeGreaterThan(0.99); expect(actual / expected).toBeLessThan(1.01); };

/** Declares tests: the estimate is within 1 % of `device.memory.peak` of real runs of three sizes, for a forward pass and for training with and without recomputation. */
export const describeMemoryPeaks = (devices: Devices): void => describe.each(Object.entries(devices))('within 1 %% of what %s holds at its peak', (kind, open) => {
  let device: Device;
  beforeEach(async () => { device = await open(); });
  afterEach(() => device.destroy());

  test.each(Object.entries(sizes))('%s', async (_name, [config, tokens]) => {
    const estimate = estimateMemory(config, tokens, { device: kind as 'wasm' | 'webgpu' });
    const model = createModel(config, { device, seed: 1 });
    expect(device.memory.live).toBe(estimate.weights);
    const batch = packBatch([Uint32Array.from({ length: tokens }, (_, i) => i % config.vocabSize)]);
    device.memory.peak = 0;
    free(forward(model, batch).hiddenStates);
    near(estimate.inferencePeak, device.memory.peak);
    for (const [checkpoint, peak] of [[true, estimate.checkpointedPeak], [false, estimate.trainingPeak]] as const) {
      device.memory.peak = 0;
      const optimizer = createOptimizer(model.params as Tree);
      const { value, grads } = valueAndGrad<Params>((params) => maskedLmLoss({ ...model, params }, batch, Array.from(batch.inputIds, (_, i) => (i % 20 < 3 ? 1 : 0)), { checkpoint, train: { seed: 0, step: 1 } }))(model.params);
      optimizer.update(grads as Tree, 1e-3);
      await device.read(value);
      near(peak, device.memory.peak);
      free([value, grads]);
      optimizer.dispose();
    }
  });
});
