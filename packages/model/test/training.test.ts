// The parts of a training loop against transformers and torch (fixtures in packages/kernels/test/golden/optim), and the loop itself on a problem whose answer is known.
import path from 'node:path';
import { createReferenceDevice, free, mul, read, sub, sum, tensor, type Device, type Tensor } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { createOptimizer, decays, finetune, linearSchedule, maskTokens, packBatch, type Progress } from '../src';
import { devices } from './devices';
import { numbers, readJson, readTensors } from './golden';

const optim = path.join(__dirname, '../../kernels/test/golden/optim');

interface Trajectory {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
  readonly clip_max_norm: number | null;
  readonly no_decay_param_indices: readonly number[];
  readonly lr_per_step: readonly number[];
}
const index = readJson<{ schedules: Record<string, number[]>; adamw_trajectories: Record<string, Trajectory> }>(optim, 'index.json');

test.each([['linear_w30_t200', 30], ['linear_w0_t200', 0]])('the schedule is that of transformers: %s', (name, warmupSteps) => {
  index.schedules[name].forEach((expected, step) => expect(Math.abs(linearSchedule(step, { warmupSteps, totalSteps: 200 }) - expected)).toBeLessThanOrEqual(1e-12));
});

test('weights decay, biases and LayerNorm do not, as in the Trainer of transformers', () => {
  const groups = readJson<{ dnabert2_decay: string[]; dnabert2_no_decay: string[] }>(optim, 'hf_trainer_decay_groups.json');
  expect(groups.dnabert2_decay.filter((name) => !decays(name))).toEqual([]);
  expect(groups.dnabert2_no_decay.filter(decays)).toEqual([]);
  const decoder = ['model.embed_tokens.weight', 'model.layers.0.input_layernorm.weight', 'model.layers.0.mlp.down_proj.weight', 'model.layers.0.post_attention_layernorm.weight', 'model.norm.weight', 'lm_head.weight'];
  expect(decoder.filter(decays)).toEqual(['model.embed_tokens.weight', 'model.layers.0.mlp.down_proj.weight', 'lm_head.weight']); // transformers 4.50's patterns: bias, layernorm, rmsnorm, (^|.)norm($|.), _norm($|.)
  expect(decays('bert.embeddings.position_embeddings.weight') && decays('bert.embeddings.prefix_embeddings.0.weight')).toBe(true);
});

describe.each(Object.entries(devices))('the optimizer on %s', (_kind, create) => {
  test.each(Object.entries(index.adamw_trajectories))('follows torch for 20 steps: %s', async (name, settings) => {
    const stored = readTensors(optim, `${name}.safetensors`);
    const device = await create();
    const before = device.memory.live;
    const keys = [...stored.keys()].filter((key) => key.endsWith('.init')).map((key) => key.slice(0, 2));
    const named = (key: string, i: number) => (settings.no_decay_param_indices.includes(i) ? `${key}.bias` : key);
    const make = (suffix: string, step?: number) => Object.fromEntries(keys.map((key, i) => {
      const { shape } = stored.get(`${key}.init`)!;
      const values = numbers(stored, `${key}.${suffix}`) as Float32Array;
      const size = shape.reduce((a, b) => a * b);
      return [named(key, i), tensor(device, step === undefined ? values : values.slice(step * size, (step + 1) * size), shape)];
    }));
    const params = make('init');
    const [beta1, beta2] = settings.betas;
    const optimizer = createOptimizer(params, { beta1, beta2, epsilon: settings.eps, weightDecay: settings.weight_decay, clipNorm: settings.clip_max_norm ?? 0 });
    for (const [step, learningRate] of settings.lr_per_step.entries()) {
      const gradients = make('grads', step);
      optimizer.update(gradients, learningRate);
      free(gradients);
      for (const [i, key] of keys.entries()) {
        const trajectory = numbers(stored, `${key}.trajectory`) as Float32Array;
        const size = trajectory.length / settings.lr_per_step.length;
        allClose(await read(params[named(key, i)]), trajectory.slice(step * size, (step + 1) * size), 3e-6, `${key} after step ${step + 1}`);
      }
    }
    optimizer.dispose();
    free(params);
    expect(device.memory.live).toBe(before);
    await device.destroy();
  });
});

describe('maskTokens', () => {
  const batch = packBatch([Uint32Array.from({ length: 20000 }, (_, i) => (i % 10 ? 5 + (i % 1000) : 1))]);
  const options = { probability: 0.15, maskId: 4, keepIds: [1, 2], seed: 7, step: 3 };

  test('hides about the share asked for, and never a special token', () => {
    const { inputIds } = maskTokens(batch, options);
    const share = inputIds.filter((id) => id === 4).length / (0.9 * inputIds.length);
    expect(Math.abs(share - 0.15)).toBeLessThan(4 * Math.sqrt((0.15 * 0.85) / 18000)); // four standard deviations
    inputIds.forEach((id, i) => expect(id === 4 || id === batch.inputIds[i]).toBe(true));
    expect(inputIds.filter((id) => id === 1).length).toBe(2000);
  });

  test('the same step hides the same tokens, another one others', () => {
    expect(maskTokens(batch, options)).toEqual(maskTokens(batch, options));
    expect(maskTokens(batch, { ...options, step: 4 }).inputIds).not.toEqual(maskTokens(batch, options).inputIds);
    expect(maskTokens(batch, { ...options, probability: 0 })).toBe(batch);
  });
});

describe('finetune', () => {
  /** Minimises |x - target|², one batch a step. */
  const problem = (device: Device) => {
    const params = { x: tensor(device, [4, -3]) };
    const target = tensor(device, [1, 2]);
    const loss = (p: { x: Tensor }) => { const d = sub(p.x, target); return sum(mul(d, d)); };
    return { params, target, task: { params, epochs: [[1, 1, 1], [1, 1, 1], [1, 1, 1]], tokens: () => 10, loss } };
  };
  const settings = { learningRate: 0.5, warmupSteps: 0, seed: 1, weightDecay: 0, reportEvery: 2 };

  test('keeps the parameters of the best evaluation, and tells of everything', async () => {
    const device = createReferenceDevice();
    const { params, target, task } = problem(device);
    const before = device.memory.live;
    const scores = [0.1, 0.7, 0.6];
    const seen: number[][] = [];
    const events: Progress[] = [];
    const result = await finetune({ ...task, evaluate: async () => { seen.push([...await read(params.x)]); return { score: scores[seen.length - 1], standardError: 0.05 }; } }, { ...settings, onProgress: (event) => void events.push(event) });
    expect(result).toMatchObject({ steps: 9, tokens: 90, best: { step: 6, epoch: 2, score: 0.7 } });
    expect([...await read(params.x)]).toEqual(seen[1]);
    expect(seen[2]).not.toEqual(seen[1]);
    expect(device.memory.live).toBe(before);
    expect(events.filter(({ kind }) => kind === 'evaluation').map(({ step }) => step)).toEqual([3, 6, 9]);
    expect(events.filter(({ kind }) => kind === 'step').map(({ step }) => step)).toEqual([2, 4, 6, 8, 9]);
    expect(result.curve.map(({ step, trainLoss, devScore }) => [step, trainLoss !== undefined, devScore])).toEqual([[2, true, undefined], [3, false, 0.1], [4, true, undefined], [6, true, undefined], [6, false, 0.7], [8, true, undefined], [9, true, undefined], [9, false, 0.6]]);
    free([params, target]);
  });

  test('evaluates every so many steps, and stops at maxSteps', async () => {
    const device = createReferenceDevice();
    const { task } = problem(device);
    const result = await finetune({ ...task, evaluate: async () => ({ score: 1, loss: 2 }) }, { ...settings, evaluateEvery: 2, maxSteps: 5 });
    expect(result.curve.filter(({ devScore }) => devScore !== undefined).map(({ step, devLoss }) => [step, devLoss])).toEqual([[2, 2], [4, 2], [5, 2]]);
    expect(result.best).toMatchObject({ step: 5 });
  });

  test.each([
    [[0.5, 0.7, 0.66], 9, 'the last is within one standard error of the best'],
    [[0.7, 0.66, 0.6], 6, 'the second is, the last is not'],
    [[0.7, 0.64, 0.7], 9, 'equal scores go to the later'],
    [[0.7, 0.64, 0.6], 3, 'none is'],
    [[0.6, 0.64, 0.7], 9, 'they rise'],
  ])('of the scores %p with a standard error of 0.05 it keeps step %i: %s', async (scores, step) => {
    const { task } = problem(createReferenceDevice());
    let looks = 0;
    const { best } = await finetune({ ...task, evaluate: async () => ({ score: scores[looks++], standardError: 0.05 }) }, settings);
    expect(best).toMatchObject({ step });
  });

  test('learns', async () => {
    const device = createReferenceDevice();
    const { params, task } = problem(device);
    await finetune({ ...task, epochs: [Array.from({ length: 200 }, () => 1)] }, settings);
    allClose(await read(params.x), [1, 2], 1e-2);
  });

  test('stops when it is aborted, also by a timer, and frees all but the parameters', async () => {
    const device = createReferenceDevice();
    const { task } = problem(device);
    const before = device.memory.live;
    await expect(finetune(task, { ...settings, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    const endless = { ...task, epochs: [Array.from({ length: 1e6 }, () => 1)] };
    await expect(finetune(endless, { ...settings, learningRate: 1e-6, signal: AbortSignal.timeout(150) })).rejects.toThrow(/timeout/);
    expect(device.memory.live).toBe(before);
  });

  test('a loss that is no number ends it with advice, and so does what onProgress throws', async () => {
    const device = createReferenceDevice();
    const { task } = problem(device);
    const spoilt = problem(device).task;
    const before = device.memory.live;
    const broken = { ...spoilt, loss: ({ x }: { x: Tensor }) => sum(mul(x, tensor(device, [NaN, 0]))) };
    await expect(finetune(broken, settings)).rejects.toThrow('finetune: expected a finite loss, got NaN by step 2; lower the learning rate');
    await expect(finetune(task, { ...settings, onProgress: () => { throw new Error('mine'); } })).rejects.toThrow('mine');
    await expect(finetune({ ...task, epochs: [] }, settings)).rejects.toThrow('finetune: expected at least one batch, got none');
    expect(device.memory.live).toBe(before);
  });
});
