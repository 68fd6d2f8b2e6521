// A whole fit on the software GPU: recorded, submitted, read once per report.
import { createWasmDevice, createWebGpuDevice, type Device } from '@genomelm/kernels';
import { createSequenceClassifier, smallConfig } from '../src';
import { kmerEncoder, plantedMotif } from './motif';

declare const gpuForTests: GPU;

async function fit(device: Device) {
  let reads = 0;
  const counting: Device = { ...device, memory: device.memory, read: (tensor) => { reads++; return device.read(tensor); } };
  const classifier = createSequenceClassifier(({ vocabSize, maxTokens }) => ({ ...smallConfig({ vocabSize, maxPositions: maxTokens }), hiddenSize: 16, intermediateSize: 32, numHeads: 2 }), kmerEncoder(3), { device: counting });
  const fitted = await classifier.fit(plantedMotif(120, 1), [], { classes: 2, hyperparameters: { epochs: 4, tokensPerBatch: 512, learningRate: 1e-3 }, seed: 1 });
  const probabilities = await fitted.predict(plantedMotif(20, 2));
  await fitted.dispose();
  expect(device.memory.live).toBe(0);
  await device.destroy();
  return { losses: fitted.curve.map(({ trainLoss }) => trainLoss!), probabilities, reads, steps: fitted.report.steps };
}

test('a fit on WebGPU follows the one on wasm, with one read for every ten steps', async () => {
  const [wasm, webgpu] = [await fit(await createWasmDevice()), await fit(await createWebGpuDevice(gpuForTests))];
  expect(webgpu.losses).toHaveLength(wasm.losses.length);
  webgpu.losses.forEach((loss, i) => expect(Math.abs(loss - wasm.losses[i])).toBeLessThan(1e-4));
  webgpu.probabilities.forEach((probability, i) => expect(Math.abs(probability - wasm.probabilities[i])).toBeLessThan(1e-2));
  expect(webgpu.reads).toBe(Math.ceil(webgpu.steps / 10) + 1);
}, 300_000);
