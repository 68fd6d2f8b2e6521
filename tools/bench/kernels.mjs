// npm run bench -- kernels [--json [FILE]] [--device wasm|webgpu|reference] [--only TEXT] [--no-peers] [--cpu] [--long]
// GEMM, attention, decoding, a training step and a forward pass, on one thread and on all, beside what the machine can do at most (arithmetic in registers, reading memory) and beside other libraries:
// arms take turns in every round, medians are compared, and all must give the same numbers first. --only measures the cases whose names hold the text.
// --cpu compares seconds of processor time, of one thread each: for a machine that does other things meanwhile.
// --long adds one head of attention over 140,000 tokens, once, with its memory: some minutes. --only none leaves out everything else.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../run.mjs';
import { interleave, processorTime, wallClock } from './measure.mjs';
import { createCeilings } from './support/ceilings.mjs';
import { kernelCases } from './support/kernelCases.mjs';
import { matmulPeerVersions } from './support/matmulPeers.mjs';
import { numbers } from './support/numbers.mjs';
import { createTorch } from './support/torchPeer.mjs';

export const packages = ['@genomelm/kernels'];
const withPeers = !process.argv.includes('--no-peers'), byProcessor = process.argv.includes('--cpu');
export const peers = withPeers ? matmulPeerVersions : {};

const option = (args, name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);

async function createDevices(kernels, kind) {
  if (kind === 'webgpu') {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    return [await kernels.createDevice('webgpu', { gpu: create([]) })];
  }
  if (kind !== 'wasm') return [await kernels.createDevice(kind)];
  const counts = byProcessor ? [1] : [...new Set([1, Math.min(8, availableParallelism())])];
  return Promise.all(counts.map((threads) => kernels.createDevice(kind, { threads })));
}

export async function* run({ peer, args, note }) {
  const kernels = await import(pathToFileURL(join(root, 'packages/kernels/dist/index.js')).href); // main.mjs has built it by now
  const devices = await createDevices(kernels, option(args, '--device', 'wasm')), ceilings = await createCeilings(), torch = withPeers ? await createTorch(note) : undefined;
  for (const device of devices) note(device.description);
  const only = option(args, '--only', '');
  try {
    for (const kernelCase of kernelCases(kernels)) if (kernelCase.name.includes(only)) yield* measureCase(kernelCase, devices, ceilings, { peer, note, torch });
    if (args.includes('--long')) yield* longAttention(kernels, devices.at(-1), ceilings, note);
  } finally {
    await Promise.all([...devices.map((device) => device.destroy()), ceilings.end(), torch?.end()]);
  }
}

const labelOf = ({ kind, limits }) => (kind === 'wasm' ? `${limits.threads} thread${limits.threads === 1 ? '' : 's'}` : kind);

async function* measureCase({ name, unit, amount, repeats, ceiling, tolerance, prepare, peers: others }, devices, ceilings, context) {
  const live = devices.map(({ memory }) => memory.live), ours = [];
  for (const device of devices) ours.push(await prepare(device));
  const rivals = withPeers && devices[0].kind === 'wasm' ? await others(context) : [];
  const tops = devices.map(({ limits }) => (ceiling === 'arithmetic' ? ceilings.arithmetic : ceilings.reading[Math.min(2, limits.threads)]));
  for (const { memory } of devices) memory.peak = memory.live;
  await assertSame(name, devices, ours, rivals, tolerance);
  const probes = [...new Set(tops)], seconds = await interleave([...ours, ...rivals.map(({ run }) => run), ...probes.map(({ run }) => async () => run())], repeats, byProcessor ? processorTime : undefined);
  const rates = seconds.map((time, i) => (probes[i - ours.length - rivals.length]?.amount ?? amount) / time);
  const peakOf = (i) => Math.round((devices[i].memory.peak - live[i]) / 1e5) / 10;
  const row = (i, j, against) => ({ name: `${name}, ${labelOf(devices[i])} | ${against}`, ours: rates[i], peer: rates[j], ratio: rates[i] / rates[j], unit, peakMegabytes: peakOf(i) });
  for (const i of devices.keys()) yield row(i, ours.length + rivals.length + probes.indexOf(tops[i]), ceiling === 'arithmetic' ? 'one thread of arithmetic in registers' : 'reading memory alone');
  if (devices.length > 1) yield row(devices.length - 1, 0, 'one thread');
  for (const [j, { name: rival }] of rivals.entries()) yield row(0, ours.length + j, rival);
  for (const arm of [...ours, ...rivals.map(({ run }) => run)]) await arm.end?.();
}

/** Our devices give the same bits whatever the threads; others the same numbers, relative to the largest. */
async function assertSame(name, devices, ours, rivals, tolerance) {
  const values = [];
  for (const arm of ours) values.push(await arm());
  for (const other of values.slice(1)) if (values[0].some((value, i) => !Object.is(value, other[i]))) throw new Error(`bench: expected the same bits for ${name} on ${devices.map(labelOf).join(' and ')}, got others`);
  const largest = values[0].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const { name: rival, run: arm } of rivals) {
    const theirs = await arm();
    values[0].forEach((value, i) => { if (!(Math.abs(theirs[i] - value) <= tolerance * largest)) throw new Error(`bench: expected ${value} at ${i} of ${name} from ${rival}, got ${theirs[i]}`); });
  }
}

async function* longAttention({ attention, free, read, tensor }, device, ceilings, note) {
  const tokens = 140_000, width = 64, qkv = tensor(device, numbers(7, tokens * 3 * width), [tokens, 3, 1, width]), { live } = device.memory;
  device.memory.peak = live;
  const once = async () => {
    const results = attention({ qkv }, { cuSeqlens: [0, tokens], alibiSlopes: [0.0625] });
    await read(results.logSumExp);
    free(results);
  };
  const clock = byProcessor ? processorTime : wallClock, top = () => clock(async () => ceilings.arithmetic.run());
  await top(); // compiles it
  const before = await top(), seconds = await clock(once), probe = (before + await top()) / 2;
  const name = `attention ${tokens} tokens, head of ${width}, ${labelOf(device)}`, rate = 4 * tokens ** 2 * width / 1e9 / seconds, ceiling = ceilings.arithmetic.amount / probe;
  note(`${name}: ${seconds.toFixed(1)} s`);
  const extra = (device.memory.peak - live - 4 * tokens * (width + 1)) / 1e6;
  yield { name: `${name} | one thread of arithmetic in registers`, ours: rate, peer: ceiling, ratio: rate / ceiling, unit: 'GFLOP/s', seconds };
  yield { name: `${name} | a matrix of all scores`, ours: extra, peer: 4 * tokens ** 2 / 1e6, ratio: 4 * tokens ** 2 / 1e6 / extra, unit: 'MB' };
  free(qkv);
}
