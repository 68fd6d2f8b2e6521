// Whole forward passes on gpu.js, here in its cpu mode; in WebGL2 the playground runs them. An op without a kernel would be an error.
import { createReferenceDevice, free, read, type Device } from '@genomelm/kernels';
import { createGpuJsDevice } from '@genomelm/kernels/gpujs';
import { allClose } from '@genomelm/kernels/testing';
import { createModel, forward, genomeOceanConfigs, packBatch, smallConfig, type DecoderConfig, type EncoderConfig } from '../src';

const decoder: DecoderConfig = { ...genomeOceanConfigs['100M'], vocabSize: 40, hiddenSize: 32, numLayers: 2, numHeads: 4, numKvHeads: 2, headDim: 8, intermediateSize: 48, initializerRange: 0.2 };
const encoder: EncoderConfig = { ...smallConfig({ vocabSize: 40, maxPositions: 20 }), hiddenSize: 32, numLayers: 2, numHeads: 4, intermediateSize: 48, initializerRange: 0.2 };
const batch = packBatch([Uint32Array.of(1, 9, 30, 12, 39, 2), Uint32Array.of(7), Uint32Array.from({ length: 17 }, (_, i) => (5 * i + 3) % 40)]);

async function hiddenStates(device: Device, config: EncoderConfig | DecoderConfig) {
  const { hiddenStates: states } = forward('numKvHeads' in config ? createModel(config, { device, seed: 3 }) : createModel(config, { device, seed: 3 }), batch);
  const values = await read(states);
  free(states);
  return values;
}

test.each(Object.entries({ encoder, decoder }))('%s: the hidden states are those of the definition, by launches alone', async (name, config) => {
  const device = createGpuJsDevice({ mode: 'cpu' });
  allClose(await hiddenStates(device, config), await hiddenStates(createReferenceDevice(), config), 1e-5, name);
  const uses = Object.fromEntries(device.report().map(({ op, ...use }) => [op, use]));
  for (const op of name === 'encoder' ? ['linear', 'attention', 'layerNorm', 'geglu', 'embedding'] : ['linear', 'attention', 'rmsNorm', 'rotary', 'mul', 'embedding']) expect(uses[op]).toEqual({ launches: expect.any(Number), onReference: 0 });
  expect(Object.entries(uses).filter(([, { reason }]) => reason !== undefined).map(([op, { reason }]) => [op, reason])).toEqual([['fill', 'a copy in main memory, where tensors lie']]);
  await device.destroy();
});
