// On a software GPU, and with as many tokens as dnaGrinder claims: minutes.
import { createWasmDevice, free, read } from '@genomelm/kernels';
import { createModel, dnaGrinderConfig, estimateMemory, forward, packBatch } from '../src';
import { webgpu } from './devices';
import { describeMemoryPeaks } from './memoryPeaks';

describeMemoryPeaks(webgpu);

test('140,000 tokens run: one narrow layer, because attention takes 2e10 products of each feature, and memory for no matrix of them', async () => {
  const tokens = 140_000;
  const config = { ...dnaGrinderConfig, hiddenSize: 16, numLayers: 1, numHeads: 1, intermediateSize: 16 };
  const device = await createWasmDevice({ threads: 2 });
  const model = createModel(config, { device, seed: 1 });
  const { hiddenStates } = forward(model, packBatch([Uint32Array.from({ length: tokens }, (_, i) => 5 + ((i * 7919) % 4091))]));
  expect((await read(hiddenStates)).every(Number.isFinite)).toBe(true);
  expect(device.memory.peak / estimateMemory(config, tokens).inferencePeak).toBeCloseTo(1, 2);
  expect(device.memory.peak).toBeLessThan(200e6);
  free([hiddenStates, model.params]);
  await device.destroy();
}, 1_200_000);
