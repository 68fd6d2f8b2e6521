// What a fixture of the encoder claims, declared as tests for one case on the devices given. Tolerances are those of the fixtures' README.
import { flatten, free, read, scope, valueAndGrad, type Device, type Tensor, type Tree } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { classificationLoss, classify, forward, loadPretrained, maskedLmLogits, maskedLmLoss, type AnyModel, type Model, type Params } from '../src';
import { gather, numbers, pretrainedFiles, readJson, readTensors, unpad, type Stored } from './golden';

const activations = 3e-5;
const gradients = 1e-4;
const losses = 5e-5;

type Devices = Readonly<Record<string, () => Promise<Device>>>;

/** Runs a test with a device that is destroyed afterwards, and checks that nothing but the model is left on it. */
export async function onDevice<M extends AnyModel>(create: () => Promise<Device>, load: (device: Device) => Promise<M>, claims: (model: M) => Promise<void>): Promise<void> {
  const device = await create();
  try {
    const model = await load(device);
    const before = device.memory.live;
    await claims(model);
    expect(device.memory.live).toBe(before);
  } finally {
    await device.destroy();
  }
}

export async function checkTensor(actual: Tensor, expected: ArrayLike<number>, tolerance: number, what: string): Promise<void> {
  allClose(await read(actual), expected, tolerance, what);
}

/** Loss and gradients of all parameters against the fixture. */
export async function checkGradients<P extends Tree>(params: P, lossOf: (params: P) => Tensor, loss: number, expected: (path: string) => ArrayLike<number>): Promise<void> {
  const result = valueAndGrad<P>(lossOf)(params);
  expect(Math.abs((await read(result.value))[0] - loss)).toBeLessThanOrEqual(losses);
  for (const [name, gradient] of flatten(result.grads)) await checkTensor(gradient, expected(name), gradients, `the gradient of ${name}`);
  free([result.value, result.grads]);
}

interface Index {
  readonly mlm_loss: number;
  readonly cls_loss: number;
  readonly noise_floor_f32_vs_f64_upstream: { readonly last_hidden_state: { readonly rel_to_max: number }; readonly mlm_logits: { readonly rel_to_max: number } };
}

/** The fixtures dnabert2/a and b: hidden states of every layer, logits, losses, all gradients, the classifier. */
export function describeDnabert2(name: string, folder: string, devices: Devices): void {
  const inputs = readTensors(folder, 'inputs.safetensors');
  const outputs = readTensors(folder, 'outputs.safetensors');
  const index = readJson<Index>(folder, 'index.json');
  const { last_hidden_state: hiddenNoise, mlm_logits: logitsNoise } = index.noise_floor_f32_vs_f64_upstream;
  const load = (head: 'maskedLm' | 'classifier') => (device: Device) => loadPretrained(pretrainedFiles(folder, head), { device, architecture: 'encoder' });

  describe.each(Object.entries(devices))(`${name} on %s`, (kind, create) => {
    test('hidden states of the embedding and every layer', () => onDevice(create, load('maskedLm'), async (model) => {
      const { batch, rows } = unpad(inputs);
      const { hiddenStates, allHiddenStates } = forward(model, batch, { allHiddenStates: true });
      const width = model.config.hiddenSize;
      const tolerance = Math.max(activations, 4 * hiddenNoise.rel_to_max);
      await checkTensor(allHiddenStates![0], gather(numbers(outputs, 'embeddings_out'), rows, width), tolerance, 'the embedding');
      for (let i = 0; i < model.config.numLayers; i++) await checkTensor(allHiddenStates![i + 1], numbers(outputs, `layer_${i}_unpadded`), tolerance, `layer ${i}`);
      await checkTensor(hiddenStates, gather(numbers(outputs, 'last_hidden_state'), rows, width), tolerance, 'the last hidden state');
      free(allHiddenStates!);
    }));

    test('masked-LM logits at the labelled positions', () => onDevice(create, load('maskedLm'), async (model) => {
      const { batch, rows } = unpad(inputs);
      const positions = numbers(outputs, 'mlm_positions');
      const [, length] = inputs.get('input_ids')!.shape;
      const packed = Array.from({ length: positions.length / 2 }, (_, i) => rows.indexOf(positions[2 * i] * length + positions[2 * i + 1]));
      const logits = maskedLmLogits(model, batch, packed);
      await checkTensor(logits, numbers(outputs, 'mlm_logits_at_positions'), Math.max(activations, 4 * logitsNoise.rel_to_max), 'logits');
      free(logits);
    }));

    test.each(kind === 'reference' ? [false] : [false, true])('masked-LM loss and all gradients, layers recomputed: %p', (checkpoint) => onDevice(create, load('maskedLm'), async (model) => {
      const { batch, rows } = unpad(inputs);
      const labels = numbers(inputs, 'labels');
      const expected = readTensors(folder, 'grads_mlm.safetensors');
      await checkGradients<Params>(model.params, (params) => maskedLmLoss({ ...model, params }, batch, rows.map((row) => labels[row]), { checkpoint }), index.mlm_loss, (path) => numbers(expected, path));
    }));

    test('classifier logits, loss and all gradients', () => onDevice(create, load('classifier'), async (model) => {
      const { batch } = unpad(inputs, 'cls_input_ids');
      const logits = scope<Tensor>(() => classify(model, batch));
      await checkTensor(logits, numbers(outputs, 'cls_logits'), Math.max(activations, 4 * hiddenNoise.rel_to_max), 'class logits');
      free(logits);
      const expected = readTensors(folder, 'grads_cls.safetensors');
      await checkGradients<Params>(model.params, (params) => classificationLoss({ ...model, params }, batch, numbers(inputs, 'cls_labels')), index.cls_loss, (path) => classifierGradient(expected, path, model));
    }));
  });
}

/** The word embedding's gradient is stored as those of its rows that are not zero. */
function classifierGradient(expected: Stored, path: string, { config: { vocabSize, hiddenSize } }: Model): ArrayLike<number> {
  if (expected.has(path)) return numbers(expected, path);
  const values = numbers(expected, `${path}@rows`) as Float32Array;
  const all = new Float32Array(vocabSize * hiddenSize);
  Array.from(numbers(expected, 'rows')).forEach((row, i) => all.set(values.subarray(i * hiddenSize, (i + 1) * hiddenSize), row * hiddenSize));
  return all;
}

interface DnaGrinderIndex {
  readonly loss: number;
  readonly noise_floor_f32_f64: { readonly logits: { readonly rel_to_max: number } };
}

/** The fixture dnagrinder/a: SiLU gate, biases, no token types, untied decoder. */
export function describeDnaGrinder(name: string, folder: string, devices: Devices): void {
  const inputs = readTensors(folder, 'inputs.safetensors');
  const outputs = readTensors(folder, 'outputs.safetensors');
  const index = readJson<DnaGrinderIndex>(folder, 'index.json');
  const load = (device: Device) => loadPretrained(pretrainedFiles(folder, 'maskedLm'), { device, architecture: 'encoder' });

  describe.each(Object.entries(devices))(`${name} on %s`, (_kind, create) => {
    test('last hidden state and logits', () => onDevice(create, load, async (model) => {
      const { batch, rows } = unpad(inputs);
      const tolerance = Math.max(activations, 4 * index.noise_floor_f32_f64.logits.rel_to_max);
      const { hiddenStates } = forward(model, batch);
      const logits = maskedLmLogits(model, batch);
      await checkTensor(hiddenStates, gather(numbers(outputs, 'last_hidden_state'), rows, model.config.hiddenSize), tolerance, 'the last hidden state');
      await checkTensor(logits, numbers(outputs, 'mlm_logits_packed'), tolerance, 'logits');
      free([hiddenStates, logits]);
    }));

    test('loss and all gradients', () => onDevice(create, load, async (model) => {
      const { batch, rows } = unpad(inputs);
      const labels = numbers(inputs, 'labels');
      const expected = readTensors(folder, 'grads.safetensors');
      await checkGradients<Params>(model.params, (params) => maskedLmLoss({ ...model, params }, batch, rows.map((row) => labels[row])), index.loss, (path) => numbers(expected, path));
    }));
  });
}
