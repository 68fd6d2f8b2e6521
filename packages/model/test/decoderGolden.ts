// What a fixture of the decoder claims, declared as tests for one case on the devices given. Tolerances are those of the fixtures' README.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { free, read, scope, type Device, type Tensor } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { causalLmLogits, causalLmLoss, forward, loadPretrained, packBatch, serializeSafetensors, toFloat32, type Batch, type CausalModel, type CausalParams } from '../src';
import { checkGradients, checkTensor, onDevice } from './encoderGolden';
import { gather, numbers, readJson, readTensors, unpad } from './golden';

const activations = 3e-5;
const losses = 5e-5;

type Devices = Readonly<Record<string, () => Promise<Device>>>;

/** The case's decoder; its shards are put together. */
export function loadDecoder(folder: string, shards: readonly string[]): (device: Device) => Promise<CausalModel> {
  const tensors = shards.flatMap((shard) => [...readTensors(folder, shard)]).map(([name, stored]) => [name, { shape: stored.shape, data: toFloat32(stored) }] as const);
  const files = { config: readFileSync(path.join(folder, 'config.json'), 'utf8'), weights: serializeSafetensors(Object.fromEntries(tensors)) };
  return (device) => loadPretrained(files, { device, architecture: 'decoder' });
}

interface Index {
  readonly lengths: readonly number[];
  readonly batch_loss_left_padded: number;
}

/** The fixtures genomeocean/a and b: hidden states of every layer, logits, log-probabilities, losses, all gradients; each sequence alone, all in one packed batch. */
export function describeGenomeOcean(name: string, folder: string, shards: readonly string[], devices: Devices): void {
  const { lengths, batch_loss_left_padded: loss } = readJson<Index>(folder, 'index.json');
  const outputs = readTensors(folder, 'outputs_per_sequence.safetensors');
  const [inputs, padded] = [readTensors(folder, 'inputs.safetensors'), readTensors(folder, 'outputs_batch.safetensors')];
  const alone = lengths.map((_, s) => packBatch([Uint32Array.from(numbers(outputs, `seq${s}.input_ids`))]));
  const together: Batch = packBatch(alone.map(({ inputIds }) => inputIds));
  const load = loadDecoder(folder, shards);

  describe.each(Object.entries(devices))(`${name} on %s`, (kind, create) => {
    test('hidden states of the embedding and every layer, and logits, of all sequences packed', () => onDevice(create, load, async (model) => {
      const { hiddenStates, allHiddenStates } = forward(model, together, { allHiddenStates: true });
      const logits = causalLmLogits(model, together);
      for (const [s, length] of lengths.entries()) {
        const rows = Array.from({ length }, (_, i) => together.cuSeqlens[s] + i);
        const own = async (all: Tensor, of = rows) => gather(await read(all) as Float32Array, of, all.shape[1]);
        for (let i = 0; i < model.config.numLayers; i++) allClose(await own(allHiddenStates![i]), numbers(outputs, `seq${s}.hidden_${i}`), activations, `the input of layer ${i}, sequence ${s}`);
        allClose(await own(hiddenStates), numbers(outputs, `seq${s}.last_hidden_state`), activations, `the last hidden state of sequence ${s}`);
        allClose(await own(logits, rows.slice(-4)), numbers(outputs, `seq${s}.logits_last4`), activations, `logits of sequence ${s}`);
      }
      free([allHiddenStates!, hiddenStates, logits]);
    }));

    test('a left-padded batch of upstream is the packed batch here', () => onDevice(create, load, async (model) => {
      const { batch, rows } = unpad(inputs);
      const { hiddenStates } = forward(model, batch);
      await checkTensor(hiddenStates, gather(numbers(padded, 'last_hidden_state_left_padded'), rows, model.config.hiddenSize), activations, 'the last hidden state');
      free(hiddenStates);
    }));

    test('the loss of each sequence alone', () => onDevice(create, load, async (model) => {
      for (const [s, batch] of alone.entries()) {
        const value = scope<Tensor>(() => causalLmLoss(model, batch));
        expect(Math.abs((await read(value))[0] - numbers(outputs, `seq${s}.loss`)[0])).toBeLessThanOrEqual(losses);
        free(value);
      }
    }));

    test.each(kind === 'reference' ? [false] : [false, true])('loss and all gradients, layers recomputed: %p', (checkpoint) => onDevice(create, load, async (model) => {
      const expected = readTensors(folder, 'grads.safetensors');
      await checkGradients<CausalParams>(model.params, (params) => causalLmLoss({ ...model, params }, together, { checkpoint }), loss, (parameter) => numbers(expected, parameter));
    }));
  });
}
