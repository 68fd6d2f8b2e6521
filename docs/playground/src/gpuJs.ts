// The gpujs device: WebGL2 through gpu.js. Forward only; what has no kernel runs as its definition, and is named.
import { createReferenceDevice, free, read, scope, type Device, type Tensor } from '@genomelm/kernels';
import { createGpuJsDevice, type OpUse } from '@genomelm/kernels/gpujs';
import { relativeError } from '@genomelm/kernels/testing';
import { createModel, forward, genomeOceanConfigs, packBatch, smallConfig, type DecoderConfig, type EncoderConfig } from '@genomelm/model';
import { checkDevice, type DeviceReport, type Outcome } from './check';

/** Ops that must have been launched on WebGL2, never run as their definition. */
const launched = ['matmul', 'linear', 'attention', 'layerNorm', 'rmsNorm', 'geglu', 'rotary', 'embedding'];

export async function checkGpuJs(): Promise<{ report: DeviceReport; launches: Outcome & { uses: readonly OpUse[] } }> {
  let uses: readonly OpUse[] = [];
  const began = performance.now();
  const report = await checkDevice(async () => {
    const device = createGpuJsDevice({ otherOps: 'reference' });
    return Object.assign(device, { destroy: async () => { uses = device.report(); } });
  }, { gradients: false });
  const missing = launched.filter((op) => !uses.some((use) => use.op === op && use.launches > 0 && use.onReference === 0));
  return { report, launches: { ok: missing.length === 0, ...(missing.length && { error: `never launched: ${missing.join(', ')}` }), uses, milliseconds: performance.now() - began } };
}

const decoder: DecoderConfig = { ...genomeOceanConfigs['100M'], vocabSize: 40, hiddenSize: 32, numLayers: 2, numHeads: 4, numKvHeads: 2, headDim: 8, intermediateSize: 48, initializerRange: 0.2 };
const encoder: EncoderConfig = { ...smallConfig({ vocabSize: 40, maxPositions: 20 }), hiddenSize: 32, numLayers: 2, numHeads: 4, intermediateSize: 48, initializerRange: 0.2 };
const batch = packBatch([Uint32Array.of(1, 9, 30, 12, 39, 2), Uint32Array.of(7), Uint32Array.from({ length: 17 }, (_, i) => (5 * i + 3) % 40)]);

/** A whole model's hidden states; an op without a kernel would be an error here. */
async function hiddenStates(device: Device, config: DecoderConfig | EncoderConfig): Promise<ArrayLike<number>> {
  const model = 'numKvHeads' in config ? createModel(config, { device, seed: 3 }) : createModel(config, { device, seed: 3 });
  const states = scope<Tensor>(() => forward(model, batch).hiddenStates);
  const values = await read(states);
  free(states);
  return values;
}

/** Encoder and decoder on WebGL2, beside the definitions in float64. */
export async function checkModels(): Promise<Readonly<Record<string, Outcome>>> {
  const outcomes: Record<string, Outcome> = {};
  for (const [name, config] of Object.entries({ 'encoder, forward': encoder, 'decoder, forward': decoder })) {
    const began = performance.now();
    try {
      const device = createGpuJsDevice();
      const difference = relativeError(await hiddenStates(device, config), await hiddenStates(createReferenceDevice(), config));
      outcomes[name] = { ok: difference <= 1e-5, difference, milliseconds: performance.now() - began };
    } catch (error) {
      outcomes[name] = { ok: false, error: String(error), milliseconds: performance.now() - began };
    }
  }
  return outcomes;
}
