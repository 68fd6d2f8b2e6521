// Generation on every device, and for long: the larger fixture lies outside of the repository.
import path from 'node:path';
import { createWasmDevice } from '@genomelm/kernels';
import { createModel, generate } from '../src';
import { devices, webgpu } from './devices';
import { committed, shared } from './golden';
import { describeGreedy } from './generationGolden';
import { codons, tinyDecoder } from './tinyDecoder';

const every = { ...devices, ...webgpu };
describeGreedy('GenomeOcean, grouped queries, a window of 16', path.join(committed, 'genomeocean/b_h96_l2_gqa6_2_win16'), ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'], every);

const many = shared('genomeocean/a_h64_l3_mha8');
if (many) describeGreedy('GenomeOcean, as many key heads as heads', many, ['model.safetensors'], every);
else test.skip('GenomeOcean, as many key heads as heads: no fixtures in ../shared', () => undefined);

test('samples of the devices are the same tokens, and log-probabilities are near', async () => {
  const runs = await Promise.all(Object.values(every).map(async (create) => {
    const device = await create();
    const model = createModel({ ...tinyDecoder, slidingWindow: 20 }, { device, seed: 6 });
    const samples = [];
    for await (const { ids, logProbs } of generate(model, codons, ['ACGTTGCACGTA', ''], { num: 4, seed: 3, maxNewTokens: 30, topP: 0.9 })) samples.push({ ids: [...ids], logProbs });
    await device.destroy();
    return samples;
  }));
  for (const run of runs.slice(1)) {
    for (const [i, { ids, logProbs }] of run.entries()) {
      expect(ids).toEqual(runs[0][i].ids);
      logProbs.forEach((value, k) => expect(Math.abs(value - runs[0][i].logProbs[k])).toBeLessThan(1e-4));
    }
  }
});

test.each([['with a window', { slidingWindow: 64 }, {}], ['with a prompt that moves', {}, { contextTokens: 256 }]] as const)('50,000 tokens in flat memory, %s', async (_name, shape, options) => {
  const device = await createWasmDevice({ threads: 1 });
  const model = createModel({ ...tinyDecoder, maxPositions: 60_000, ...shape }, { device, seed: 6 });
  let [early, late, peak, tokens] = [0, 0, 0, 0];
  const before = device.memory.live;
  const onProgress = ({ newTokens }: { newTokens: number }) => {
    if (newTokens === tokens) return;
    tokens = newTokens;
    peak = Math.max(peak, device.memory.live);
    if (tokens === 5000) [early, peak] = [peak, 0];
    if (tokens === 50_000) late = peak;
  };
  for await (const { ids, finishReason } of generate(model, codons, [''], { maxNewTokens: 50_000, stopIds: [], ...options, onProgress })) {
    expect(ids).toHaveLength(50_000);
    expect(finishReason).toBe('length');
  }
  expect(late).toBeLessThanOrEqual(early * 1.01);
  expect(late - before).toBeLessThan(2 ** 20);
  expect(device.memory.live).toBe(before);
  await device.destroy();
});
