import { join } from 'node:path';
import { adamW, crossEntropy, fill, free, gelu, geglu, layerNorm, mul, scale, scope, silu, squaredNorm, sum, swiglu, tensor, valueAndGrad, zeros, type Device, type Tensor } from '../src';
import { allClose } from '../src/testing';
import { devices } from './devices';
import { attentionCases, checkAttention, goldenFolder, readGolden, readIndex, type Golden } from './golden';

const units = readGolden(join(goldenFolder, 'units', 'units.safetensors'));
const unitTolerance = 2e-6;
const gradientTolerance = 2e-5;

describe.each(Object.entries(devices))('on %s', (kind, create) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  const upload = ({ values, shape }: Golden) => tensor(device, values, shape);
  const close = async (actual: Tensor, { values }: Golden, tolerance: number, what: string) => allClose(await device.read(actual), values, tolerance, `${what} on ${kind}`);
  /** Gradients of Σ y · dOutput. */
  const gradients = <P extends Record<string, Tensor>>(p: P, dOutput: Tensor, f: (p: P) => Tensor): P => scope<P>(() => valueAndGrad<P>((q) => sum(mul(f(q), dOutput)))(p).grads as never);

  test.each(attentionCases(join(goldenFolder, 'attention')))('attention equals flash-attention in float64: %s', (name) => checkAttention(device, join(goldenFolder, 'attention'), name));

  test.each(['1e-12', '1e-05'])('layer norm equals torch with epsilon %s, also in rows of tiny deviation and far from zero', async (epsilon) => {
    const { y, dx, dw, db } = Object.fromEntries(['y', 'dx', 'dw', 'db'].map((name) => [name, units[`layernorm_eps${epsilon}.${name}`]]));
    const p = { x: upload(units.x), weight: upload(units.weight), bias: upload(units.bias) };
    const dOutput = upload(units.dout);
    const f = ({ x, weight, bias }: typeof p) => layerNorm(x, weight, bias, { epsilon: Number(epsilon) });
    const value = f(p);
    const d = gradients(p, dOutput, f);
    // Row 5 lies at 100 ± 1, where x itself has lost digits.
    const [rows, width] = units.x.shape;
    const values = await device.read(value);
    for (let row = 0; row < rows; row++) allClose(values.subarray(row * width, (row + 1) * width), y.values.subarray(row * width, (row + 1) * width), row === 5 ? gradientTolerance : unitTolerance, `row ${row} of layerNorm on ${kind}`);
    await close(d.x, dx, gradientTolerance, 'dX of layerNorm');
    await close(d.weight, dw, gradientTolerance, 'dWeight of layerNorm');
    await close(d.bias, db, gradientTolerance, 'dBias of layerNorm');
    free([p, dOutput, value, d]);
  });

  test.each([['gelu_erf', gelu], ['silu', silu]] as const)('%s equals torch', async (name, activation) => {
    const x = upload(units['act.x']);
    const one = fill(zeros(device, x.shape), 1);
    const value = activation(x);
    const d = gradients({ x }, one, (p) => activation(p.x));
    await close(value, units[`act.${name}`], unitTolerance, name);
    await close(d.x, units[`act.${name}.grad`], gradientTolerance, `the gradient of ${name}`);
    free([x, one, value, d]);
  });

  test.each([['geglu', geglu], ['swiglu', swiglu]] as const)('%s equals torch, gate first', async (name, unit) => {
    const u = upload(units['glu.u']);
    const dOutput = upload(units['glu.dout']);
    const value = unit(u);
    const d = gradients({ u }, dOutput, (p) => unit(p.u));
    await close(value, units[`glu.${name}`], unitTolerance, name);
    await close(d.u, units[`glu.${name}.du`], gradientTolerance, `the gradient of ${name}`);
    free([u, dOutput, value, d]);
  });

  test.each([['ignore-100', 'dlogits', (label: number) => label], ['upstream_mlm_labels>0', 'dlogits_upstream_mlm', (label: number) => (label > 0 ? label : -100)]] as const)('cross-entropy equals torch: %s', async (name, gradient, relabel) => {
    const logits = upload(units['ce.logits']);
    const labels = tensor(device, (units['ce.labels'].values as Int32Array).map(relabel));
    const result = scope(() => valueAndGrad((p: { logits: Tensor }) => {
      const { sum: loss, count } = crossEntropy(p.logits, labels);
      return { loss, aux: count };
    })({ logits }));
    const [count] = await device.read(result.aux);
    const mean = scale(result.value, 1 / count);
    const d = scale(result.grads.logits, 1 / count);
    await close(mean, units[`ce.loss_${name}`], unitTolerance, 'the mean loss');
    await close(d, units[`ce.${gradient}`], gradientTolerance, 'dLogits');
    free([logits, labels, result, mean, d]);
  });

  test.each(['pretrain_betas', 'finetune_nodecay'])('AdamW follows torch for 20 steps: %s', async (name) => {
    interface Trajectory { betas: [number, number]; eps: number; weight_decay: number; clip_max_norm: number | null; no_decay_param_indices: number[]; lr_per_step: number[]; total_norms_before_clip: number[] }
    const folder = join(goldenFolder, 'optim');
    const { betas: [beta1, beta2], eps: epsilon, weight_decay, clip_max_norm, no_decay_param_indices, lr_per_step, total_norms_before_clip } = (readIndex(folder).adamw_trajectories as Record<string, Trajectory>)[name];
    const file = readGolden(join(folder, `${name}.safetensors`));
    const leaves = Object.keys(file).filter((key) => key.endsWith('.init')).map((key) => key.replace('.init', ''));
    const state = leaves.map((leaf) => ({ p: upload(file[`${leaf}.init`]), m: zeros(device, file[`${leaf}.init`].shape), v: zeros(device, file[`${leaf}.init`].shape) }));
    for (const [t, learningRate] of lr_per_step.entries()) {
      const grads = leaves.map((leaf, i) => upload({ values: file[`${leaf}.grads`].values.slice(...at(t, state[i].p)), shape: state[i].p.shape }));
      const norm = squaredNorm(grads);
      state.forEach(({ p, m, v }, i) => adamW(p, grads[i], m, v, { learningRate, beta1, beta2, epsilon, step: t + 1, weightDecay: no_decay_param_indices.includes(i) ? 0 : weight_decay, ...(clip_max_norm === null ? {} : { clip: { squaredNorm: norm, maxNorm: clip_max_norm } }) }));
      if (clip_max_norm !== null) allClose([Math.sqrt((await device.read(norm))[0])], [total_norms_before_clip[t]], 3e-6, `the norm of step ${t}`);
      for (const [i, leaf] of leaves.entries()) allClose(await device.read(state[i].p), file[`${leaf}.trajectory`].values.subarray(...at(t, state[i].p)), 3e-6, `${leaf} after step ${t}`);
      free([grads, norm]);
    }
    for (const [i, leaf] of leaves.entries()) {
      await close(state[i].m, file[`${leaf}.exp_avg_final`], 3e-6, 'the first moment');
      await close(state[i].v, file[`${leaf}.exp_avg_sq_final`], 3e-6, 'the second moment');
    }
    free(state);
  });
});

/** Where step t lies among steps stored one after another. */
function at(t: number, { shape }: Tensor): [number, number] {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return [t * size, (t + 1) * size];
}
