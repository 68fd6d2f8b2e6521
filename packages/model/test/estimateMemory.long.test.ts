// On a software GPU, and with as many tokens as dnaGrinder claims: minutes.
import { createWasmDevice, free, read } from '@genomelm/kernels';
import { createModel, dnaGrinderConfig, estimateMemory, forward, packBatch, pretrain } from '../src';
import { tinyDecoder } from './tinyDecoder';
import { webgpu } from './devices';
import { describeMemoryPeaks } from './memoryPeaks';

describeMemoryPeaks(webgpu);

test.each([['float32', false], ['float32', true], ['bfloat16', false], ['bfloat16', true]] as const)('a decoder as pretrain trains it, weights read as %s, layers again: %s', async (weights, checkpointLayers) => {
  const [config, tokens] = [{ ...tinyDecoder, hiddenSize: 128, headDim: 32, intermediateSize: 384, numLayers: 4 }, 200];
  const device = await createWasmDevice({ threads: 1 });
  const model = createModel(config, { device, seed: 1 });
  const inputIds = Uint32Array.from({ length: tokens }, (_, i) => 5 + ((i * 7919) % 60));
  await pretrain(model, { lengths: [tokens], read: async () => ({ inputIds }) }, { specialIds: {}, steps: 1, tokensPerStep: tokens, learningRate: 1e-3, warmupSteps: 0, seed: 1, weights, checkpointLayers });
  const { trainingPeak, checkpointedPeak } = estimateMemory(config, tokens, { weights });
  const ratio = device.memory.peak / (checkpointLayers ? checkpointedPeak : trainingPeak);
  expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
  expect(estimateMemory(config, tokens, { weights: 'bfloat16' }).checkpointedPeak - estimateMemory(config, tokens).checkpointedPeak).toBeGreaterThan(0);
  free(model.params);
  await device.destroy();
});

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
