// npm run bench -- kernels [--json] [--device wasm|webgpu] [--peers] [--long]: GEMM, attention, decoding and a training step, in GFLOP/s beside what the machine's arithmetic can do.
// The ceiling is a loop of multiplications and additions in registers, measured in the same rounds: SIMD of one thread. --peers installs and measures other libraries' GEMM.
// --long adds a forward pass of a 117 M encoder, and one head of attention over 140,000 tokens with its memory.
/* global WebAssembly */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';
import { root } from '../run.mjs';
import { interleave, median } from './measure.mjs';
import { matmulPeers, matmulPeerVersions } from './support/matmulPeers.mjs';

export const packages = ['@genomelm/kernels'];
export const peers = process.argv.includes('--peers') ? matmulPeerVersions : {};

let kernels; // the built package: main.mjs builds it after it has read this file

/** Twelve independent chains of s = s · a + b over four lanes: two operations wait eight cycles for each other, so that two units for them are never idle. */
const probeSource = `export function probe(rounds: i32): f32 {
  const a = f32x4.splat(0.999), b = f32x4.splat(0.001);
  ${Array.from({ length: 12 }, (_, i) => `let s${i} = f32x4.splat(${i});`).join(' ')}
  for (let i = 0; i < rounds; i++) {
    ${Array.from({ length: 12 }, (_, i) => `s${i} = f32x4.add(f32x4.mul(s${i}, a), b);`).join(' ')}
  }
  let all = s0;
  ${Array.from({ length: 11 }, (_, i) => `all = f32x4.add(all, s${i + 1});`).join(' ')}
  return f32x4.extract_lane(all, 0) + f32x4.extract_lane(all, 1) + f32x4.extract_lane(all, 2) + f32x4.extract_lane(all, 3);
}`;

async function createProbe() {
  let binary;
  const { error } = await asc.main(['probe.ts', '-O3', '--runtime', 'stub', '--enable', 'simd', '--outFile', 'probe.wasm'], {
    readFile: (name) => (name.endsWith('probe.ts') ? probeSource : null), writeFile: (name, contents) => { if (name.endsWith('.wasm')) binary = contents; }, stdout: { write: () => true },
  });
  if (error) throw error;
  const { probe } = (await WebAssembly.instantiate(binary, { env: { abort() {} } })).instance.exports;
  return { gigaflop: 2e7 * 96 / 1e9, run: () => probe(2e7) };
}

const option = (args, name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);

async function createDevices(args) {
  const kind = option(args, '--device', 'wasm');
  if (kind === 'webgpu') {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    return [await kernels.createDevice('webgpu', { gpu: create([]) })];
  }
  const counts = [...new Set([1, Math.min(8, availableParallelism())])];
  return Promise.all(counts.map((threads) => kernels.createDevice(kind, { threads })));
}

export async function* run({ peer, args, note }) {
  kernels = await import(pathToFileURL(join(root, 'packages/kernels/dist/index.js')).href);
  const devices = await createDevices(args), probe = await createProbe();
  for (const device of devices) note(device.description);
  const cases = [...gemmCases(), ...attentionCases(), trainingCase(), ...(args.includes('--long') ? [encoderCase()] : [])];
  for (const { name, gigaflop, prepare, repeats = 9 } of cases) {
    const arms = await Promise.all(devices.map((device) => prepare(device)));
    await assertSame(name, arms);
    const [ceiling, ...seconds] = await interleave([probe.run, ...arms.map((arm) => async () => { await arm(); })], repeats);
    for (const [i, device] of devices.entries()) yield row(`${name}, ${labelOf(device)}`, gigaflop / seconds[i], probe.gigaflop / ceiling, 'FMA ceiling');
    arms.forEach((arm) => arm.end());
  }
  if (args.includes('--peers')) yield* besidePeers({ device: devices[0], peer, note });
  if (args.includes('--long')) await longAttention(devices.at(-1), note);
  await Promise.all(devices.map((device) => device.destroy()));
}

const labelOf = ({ kind, limits }) => (kind === 'wasm' ? `${limits.threads} thread${limits.threads === 1 ? '' : 's'}` : kind);
const row = (name, ours, other, against) => ({ name: `${name} | ${against}`, ours, peer: other, ratio: ours / other, unit: 'GFLOP/s' });

/** Results do not depend on the threads: to the bit, before anything is timed. */
async function assertSame(name, arms) {
  const [first, ...others] = await Promise.all(arms.map((arm) => arm()));
  for (const other of others) if (first.some((value, i) => !Object.is(value, other[i]))) throw new Error(`bench: expected the same numbers for ${name} on every device, got others`);
}

/** A case of tensors that stay and a function of them; calling it waits for the device and gives some of the numbers. */
function measured(device, tensors, f) {
  const { flatten, free, read, reshape, scope, sizeOf, slice } = kernels;
  const arm = async () => {
    const sample = scope(() => {
      const y = f(tensors);
      return slice(reshape(y, [sizeOf(y)]), 0, Math.min(64, sizeOf(y)));
    });
    const values = await read(sample);
    free(sample);
    return values;
  };
  return Object.assign(arm, { end: () => free(flatten(tensors).map(([, tensor]) => tensor)) });
}

const random = (device, seed, ...shape) => kernels.randomNormal(device, shape, { seed, standardDeviation: 1 });

function gemmCases() {
  const { linear } = kernels;
  return [[512, 768, 3072], [512, 768, 768], [1, 768, 3072]].map(([m, k, n]) => ({
    name: `linear ${m} x ${k} x ${n}`, gigaflop: 2 * m * k * n / 1e9, repeats: m === 1 ? 49 : 9,
    prepare: (device) => measured(device, { x: random(device, 1, m, k), weight: random(device, 2, n, k) }, ({ x, weight }) => linear(x, weight)),
  }));
}

function attentionCases() {
  const { alibiSlopes, attention, sum, valueAndGrad } = kernels, tokens = 4096, width = 64;
  const qkv = (device, heads) => ({ qkv: random(device, 3, tokens, 3, heads, width) });
  const options = { cuSeqlens: [0, tokens], alibiSlopes: [0.0625] };
  return [
    { name: `attention ${tokens} tokens, head of ${width}, ALiBi`, gigaflop: 4 * tokens ** 2 * width / 1e9, repeats: 5, prepare: (device) => measured(device, qkv(device, 1), (p) => attention(p, options).output) },
    { name: `attention ${tokens} tokens, with gradient`, gigaflop: 14 * tokens ** 2 * width / 1e9, repeats: 5, prepare: (device) => measured(device, qkv(device, 1), (p) => valueAndGrad((q) => sum(attention(q, options).output))(p).grads.qkv) },
    {
      name: `decoding, 12 heads of ${width} over ${tokens} keys`, gigaflop: 4 * tokens * 12 * width / 1e9, repeats: 49,
      prepare: (device) => measured(device, { query: random(device, 4, 1, 12, width), key: random(device, 5, tokens, 12, width), value: random(device, 6, tokens, 12, width) }, (p) => attention(p, { cuSeqlens: [0, 1], cuSeqlensKey: [0, tokens], causal: true, alibiSlopes: alibiSlopes(12) }).output),
    },
  ];
}

/** An encoder of DNABERT-2's shape: parameters, and hidden states of ids. */
function encoder(device, { width, heads, inner, layers, vocab }) {
  const { add, alibiSlopes, attention, embedding, geglu, glorotUniform, layerNorm, linear, ones, reshape, scope, zeros } = kernels;
  let seed = 1;
  const weight = (...shape) => glorotUniform(device, shape, { seed: seed++ }), norm = () => ({ weight: ones(device, [width]), bias: zeros(device, [width]) });
  const map = (outputs, inputs) => ({ weight: weight(outputs, inputs), bias: zeros(device, [outputs]) });
  const params = {
    embedding: weight(vocab, width), head: weight(vocab, width),
    layers: Array.from({ length: layers }, () => ({ qkv: map(3 * width, width), out: map(width, width), norm: norm(), gated: weight(2 * inner, width), wo: map(width, inner), norm2: norm() })),
  };
  const layer = (x, p, cuSeqlens) => scope(() => {
    const qkv = reshape(linear(x, p.qkv.weight, p.qkv.bias), [x.shape[0], 3, heads, width / heads]);
    const attended = reshape(attention({ qkv }, { cuSeqlens, alibiSlopes: alibiSlopes(heads) }).output, [x.shape[0], width]);
    const middle = layerNorm(add(x, linear(attended, p.out.weight, p.out.bias)), p.norm.weight, p.norm.bias);
    return layerNorm(add(middle, linear(geglu(linear(middle, p.gated)), p.wo.weight, p.wo.bias)), p.norm2.weight, p.norm2.bias);
  });
  const forward = (p, ids, cuSeqlens) => p.layers.reduce((x, own) => layer(x, own, cuSeqlens), embedding(p.embedding, ids));
  return { params, forward };
}

const idsOf = (device, count, vocab) => kernels.tensor(device, Uint32Array.from({ length: count }, (_, i) => (i * 7919) % vocab));
const evenly = (sequences, length) => Array.from({ length: sequences + 1 }, (_, i) => i * length);
const weightsOf = ({ width, inner, layers }) => layers * (4 * width ** 2 + 3 * inner * width);

function trainingCase() {
  const { adamW, leaves, linearCrossEntropy, mapTree, scale, scope, squaredNorm, tensor, valueAndGrad, zeros } = kernels;
  const config = { width: 256, heads: 8, inner: 1024, layers: 6, vocab: 4096 }, [sequences, length] = [8, 64], tokens = sequences * length;
  return {
    name: `training step, 8.5 M encoder, ${sequences} x ${length} tokens`, repeats: 5,
    gigaflop: (6 * tokens * (weightsOf(config) + config.vocab * config.width) + 14 * sequences * length ** 2 * config.width * config.layers) / 1e9,
    prepare(device) {
      const { params, forward } = encoder(device, config), cuSeqlens = evenly(sequences, length);
      const [first, second] = [0, 1].map(() => mapTree(params, ({ shape }) => zeros(device, shape)));
      const labels = tensor(device, Int32Array.from({ length: tokens }, (_, i) => (i % 7 ? -100 : i % config.vocab))), ids = idsOf(device, tokens, config.vocab);
      let step = 0;
      return measured(device, { params, first, second, labels, ids }, () => scope(() => {
        const { value, grads } = valueAndGrad((p) => scale(linearCrossEntropy(forward(p, ids, cuSeqlens), p.head, labels).sum, 1 / tokens))(params);
        const clip = { squaredNorm: squaredNorm(grads), maxNorm: 1 }, [p, g, m, v] = [params, grads, first, second].map(leaves);
        step++;
        p.forEach((_, i) => adamW(p[i], g[i], m[i], v[i], { learningRate: 1e-4, step, clip }));
        return value;
      }));
    },
  };
}

function encoderCase() {
  const config = { width: 768, heads: 12, inner: 3072, layers: 12, vocab: 4096 }, [sequences, length] = [8, 128];
  return {
    name: `forward pass, 117 M encoder, ${sequences} x ${length} tokens`, repeats: 3,
    gigaflop: (2 * sequences * length * weightsOf(config) + 4 * sequences * length ** 2 * config.width * config.layers) / 1e9,
    prepare(device) {
      const { params, forward } = encoder(device, config), ids = idsOf(device, sequences * length, config.vocab);
      return measured(device, { params, ids }, (p) => forward(p.params, p.ids, evenly(sequences, length)));
    },
  };
}

/** The GEMM of other libraries in the same rounds; equal numbers first. */
async function* besidePeers({ device, peer, note }) {
  const [m, k, n] = [512, 768, 3072], { tensor } = kernels;
  const [x, weight] = [[1, m, k], [2, n, k]].map(([seed, rows, columns]) => Float32Array.from({ length: rows * columns }, (_, i) => (((Math.imul(i + 1, 2654435761) ^ seed) >>> 8) / 2 ** 24 - 0.5)));
  const ours = measured(device, { x: tensor(device, x, [m, k]), weight: tensor(device, weight, [n, k]) }, (p) => kernels.linear(p.x, p.weight));
  const rivals = await matmulPeers({ x, weight, m, k, n, peer, note });
  const expected = await ours();
  for (const rival of rivals) {
    const values = await rival.run();
    expected.forEach((value, i) => { if (!(Math.abs(values[i] - value) < 1e-3)) throw new Error(`bench: expected ${value} at ${i} from ${rival.name}, got ${values[i]}`); });
  }
  const [mine, ...theirs] = await interleave([ours, ...rivals.map(({ run }) => run)], 9);
  const gigaflop = 2 * m * k * n / 1e9;
  for (const [i, { name }] of rivals.entries()) yield row(`linear ${m} x ${k} x ${n}, ${labelOf(device)}`, gigaflop / mine, gigaflop / theirs[i], name);
  ours.end();
}

async function longAttention(device, note) {
  const { attention, free, scope } = kernels, tokens = 140_000, seconds = [];
  const qkv = random(device, 7, tokens, 3, 1, 64), { live } = device.memory;
  device.memory.peak = live;
  for (let i = 0; i < 3; i++) {
    const begun = performance.now();
    scope(() => void attention({ qkv }, { cuSeqlens: [0, tokens], alibiSlopes: [0.0625] }));
    seconds.push((performance.now() - begun) / 1000);
  }
  const extra = (device.memory.peak - live - 4 * tokens * 65) / 1e6;
  note(`attention of 140,000 tokens, one head of 64, ${labelOf(device)}: ${median(seconds).toFixed(1)} s, ${(4 * tokens ** 2 * 64 / 1e9 / median(seconds)).toFixed(0)} GFLOP/s, ${extra.toFixed(1)} MB beside inputs and outputs`);
  free(qkv);
}
