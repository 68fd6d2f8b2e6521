// Adapters in PEFT's files on upstream's model: logits, loss, gradients and merged weights of a torch computation outside of the repository.
import path from 'node:path';
import { flatten, free, read, scope, valueAndGrad, type Tensor } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { classificationLoss, classify, loadLora, loadPretrained, mergeLora, withLora, type Adapters } from '../src';
import { devices } from './devices';
import { numbers, pretrainedFiles, readJson, readTensors, shared, unpad } from './golden';

const folder = shared('dnabert2/a_h64_l4_h4');
(folder ? describe : describe.skip)(`LoRA on DNABERT-2${folder ? '' : ' [skipped: no fixtures in ../shared]'}`, () => {
  test.each(Object.entries(devices))('logits, loss, gradients and merged weights on %s', async (_kind, create) => {
    const device = await create();
    const { config, params } = await loadPretrained(pretrainedFiles(folder!, 'classifier'), { device, architecture: 'encoder' });
    const { lora } = await loadLora(path.join(folder!, 'lora'), { device });
    const expected = readTensors(folder!, 'lora/expected.safetensors');
    const inputs = readTensors(folder!, 'inputs.safetensors');
    const { batch } = unpad(inputs, 'cls_input_ids');
    const labels = Array.from(numbers(inputs, 'cls_labels'));
    expect(readJson<{ r: number }>(folder!, 'lora/adapter_config.json').r).toBe(lora.rank);

    const logits = scope<Tensor>(() => classify({ config, params: withLora(params, lora) }, batch));
    allClose(await read(logits), numbers(expected, 'cls_logits'), 3e-5, 'logits');
    const { value, grads } = valueAndGrad<Adapters>((adapters) => classificationLoss({ config, params: withLora(params, { ...lora, adapters }) }, batch, labels))(lora.adapters);
    expect(Math.abs((await read(value))[0] - numbers(expected, 'cls_loss')[0])).toBeLessThan(5e-5);
    for (const [name, gradient] of flatten(grads)) allClose(await read(gradient), numbers(expected, `grad.base_model.model.${name}`), 1e-4, name);

    const merged = mergeLora(params, lora);
    const leaves = new Map(flatten(merged.params));
    for (const name of expected.keys()) if (name.startsWith('merged.')) allClose(await read(leaves.get(name.slice(7))!), numbers(expected, name), 1e-6, name);
    const again = scope<Tensor>(() => classify({ config, params: merged.params }, batch));
    allClose(await read(again), numbers(expected, 'cls_logits'), 3e-5, 'merged logits');
    free([logits, value, grads, merged.merged, again, params, lora.adapters]);
    expect(device.memory.live).toBe(0);
    await device.destroy();
  });
});
