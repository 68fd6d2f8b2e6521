import { devices } from '../test/devices';
import { describeMemoryPeaks } from '../test/memoryPeaks';
import { dnabert2Config, dnaGrinderConfig, estimateMemory, genomeOceanConfigs } from './index';

describeMemoryPeaks({ wasm: devices.wasm });

test('140,000 tokens are planned without memory, and so are 4 billion parameters', () => {
  const long = estimateMemory(dnaGrinderConfig, 140_000);
  expect(long.parameters).toBe(63_619_840);
  expect(long.checkpointedPeak).toBeLessThan(long.trainingPeak);
  expect(long.activations).toBeLessThan(8 * 2 ** 30); // no matrix of tokens by tokens, which would take 78 GB
  expect(estimateMemory(genomeOceanConfigs['4B'], 1024).weights).toBe(4 * 4_253_174_784);
});

test('FLOPs of a token: twice the weights of matrices, and attention', () => {
  const { flopsPerToken } = estimateMemory(dnabert2Config, 512);
  const layer = 768 * 2304 + 768 * 768 + 768 * 6144 + 3072 * 768;
  expect(flopsPerToken).toBe(2 * (12 * layer + 768 * 768 + 4096 * 768) + 12 * 4 * 512 * 768);
});

test('what cannot be is refused', () => {
  expect(() => estimateMemory(dnabert2Config, 0)).toThrow('estimateMemory: expected tokens to be a positive integer, got 0');
  expect(() => estimateMemory({ ...dnabert2Config, numHeads: 5 }, 8)).toThrow('hiddenSize to be a multiple of numHeads');
});
