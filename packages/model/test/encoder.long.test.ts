// The larger fixtures, the 117 M shape, and a software GPU: minutes.
import path from 'node:path';
import { createWasmDevice, flatten, free, read, scope, tensor, valueAndGrad, type Tensor } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { dnabert2Config, forward, maskedLmLogits, maskedLmLoss, type Model, type Params } from '../src';
import { modelSpecs } from '../src/model';
import { elements, mapSpecs } from '../src/parameters';
import { devices, webgpu } from './devices';
import { describeDnabert2 } from './encoderGolden';
import { committed, gather, numbers, readJson, readTensors, shared, unpad } from './golden';

describeDnabert2('DNABERT-2, 4 layers of 64', path.join(committed, 'dnabert2/a_h64_l4_h4'), { reference: devices.reference, ...webgpu });

const caseB = shared('dnabert2/b_h96_l2_h12');
if (caseB) describeDnabert2('DNABERT-2, 2 layers of 96 with 12 heads, token types', caseB, { ...devices, ...webgpu });
else test.skip('DNABERT-2, 2 layers of 96: no fixtures in ../shared', () => undefined);

interface Full {
  readonly param_count: number;
  readonly mlm_loss: number;
  readonly weights_check: Record<string, { shape: number[]; first4: number[]; last2: number[]; sum_f64: number; fnv1a32: number }>;
  readonly grad_stats: Record<string, { l2: number; absmax: number; first4: number[] }>;
  readonly noise_floor: { last_hidden_state: { rel_to_max: number }; mlm_logits: { rel_to_max: number } };
}

/** The generator of the fixture's index.json: weight i of a name, from an integer hash. */
function hashedWeights(name: string, count: number): Float32Array {
  const [offset, factor] = !/layernorm/i.test(name) || !name.endsWith('weight') ? [0, name.endsWith('bias') ? 0.05 : name.includes('embeddings') ? 0.5 : 0.06] : [1, 0.2];
  const start = fnv1a(name) + 0x85ebca6b;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (start + Math.imul(i, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x = (x ^ (x >>> 16)) >>> 0;
    values[i] = offset + factor * (((x + 0.5) / 4294967296) * 2 - 1);
  }
  return values;
}

const fnv1a = (name: string) => [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5);

const full = shared('dnabert2/full_117m');
(full ? describe : describe.skip)(`the 117 M shape on wasm${full ? '' : ' [skipped: no fixtures in ../shared]'}`, () => {
  test('hidden states, logits, loss and gradients', async () => {
    const index = readJson<Full>(full!, 'index.json');
    const outputs = readTensors(full!, 'outputs.safetensors');
    const inputs = readTensors(full!, 'inputs.safetensors');
    const device = await createWasmDevice({ threads: 2 });
    let count = 0;
    const params = mapSpecs<Params>(modelSpecs(dnabert2Config, { maskedLm: true }), (spec, name) => {
      const values = hashedWeights(name, elements(spec));
      const check = index.weights_check[name];
      expect([...values.subarray(0, 4), ...values.subarray(-2)]).toEqual([...check.first4, ...check.last2]);
      count += values.length;
      return tensor(device, values, spec.shape);
    });
    expect(count).toBe(index.param_count);
    const model: Model = { config: dnabert2Config, params, fingerprint: 'hashed' };

    const { batch, rows } = unpad(inputs);
    const noise = (rel: number) => Math.max(3e-5, 4 * rel);
    const { hiddenStates, allHiddenStates } = forward(model, batch, { allHiddenStates: true });
    allClose(await read(hiddenStates), gather(numbers(outputs, 'last_hidden_state'), rows, 768), noise(index.noise_floor.last_hidden_state.rel_to_max), 'last hidden state');
    for (const i of [0, 5, 11]) allClose((await read(allHiddenStates![i + 1])).subarray(0, 8 * 768), numbers(outputs, `layer_${i}_first8_rows`), 3e-5, `layer ${i}`);
    free(allHiddenStates!);

    const positions = numbers(outputs, 'mlm_positions');
    const length = inputs.get('input_ids')!.shape[1];
    const logits = scope<Tensor>(() => maskedLmLogits(model, batch, Array.from({ length: positions.length / 2 }, (_, i) => rows.indexOf(positions[2 * i] * length + positions[2 * i + 1]))));
    allClose(await read(logits), numbers(outputs, 'mlm_logits_at_positions'), noise(index.noise_floor.mlm_logits.rel_to_max), 'logits');
    free(logits);

    const labels = numbers(inputs, 'labels');
    const { value, grads } = valueAndGrad<Params>((p) => maskedLmLoss({ ...model, params: p }, batch, rows.map((row) => labels[row]), { checkpoint: true }))(params);
    expect(Math.abs((await read(value))[0] - index.mlm_loss)).toBeLessThan(1e-4);
    for (const [name, gradient] of flatten(grads)) {
      const values = (await read(gradient)) as Float32Array;
      const { l2, absmax, first4 } = index.grad_stats[name];
      const norm = Math.sqrt(values.reduce((total, x) => total + x * x, 0));
      const largest = values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
      expect([name, Math.abs(norm / l2 - 1) < 1e-4, Math.abs(largest / absmax - 1) < 1e-4]).toEqual([name, true, true]);
      first4.forEach((expected, i) => expect(Math.abs(values[i] - expected)).toBeLessThanOrEqual(1e-4 * absmax));
      for (const key of outputs.keys()) {
        const [whole, from] = /^grad\.(.*?)(?:\[(\d+):\d+\])?$/.exec(key)?.slice(1) ?? [];
        if (whole !== name) continue;
        const start = Number(from ?? 0) * gradient.shape.at(-1)!;
        const expected = numbers(outputs, key);
        expect(Array.from(expected).every((x, i) => Math.abs(x - values[start + i]) <= 1e-4 * absmax)).toBe(true);
      }
    }
    free([value, grads, params]);
    expect(device.memory.live).toBe(0);
    await device.destroy();
  }, 600_000);
});
