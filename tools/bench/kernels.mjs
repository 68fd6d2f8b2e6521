// npm run bench -- kernels [--json [FILE]] [--device wasm|webgpu|reference] [--only TEXT] [--no-peers] [--cpu] [--long]
// GEMM, attention, decoding, a training step and a forward pass, on one thread and on all, beside what the machine can do at most (arithmetic in registers, reading memory) and beside other libraries:
// arms take turns in every round, medians are compared, and all must give the same numbers first. --only measures the cases whose names hold the text.
// Ours on two threads and on one, and the same for arithmetic in registers, take turns call by call: what a second core gives changes within seconds, so the median of the pairs' ratios says more than that of the times (where a call takes less than a second).
// "relaxed" is ours with relaxed SIMD, which no other library here has (onnxruntime-web 1.30 and tfjs-wasm 4.22 ship no such build: theirs validate without it).
// --cpu compares seconds of processor time, of one thread each: for a machine that does other things meanwhile.
// --long adds one head of attention over 140,000 tokens, once, with its memory: some minutes. --only none leaves out everything else.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { root } from '../run.mjs';
import { interleave, median, processorTime, wallClock } from './measure.mjs';
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
  return Promise.all([...counts.map((threads) => ({ threads })), { threads: 1, relaxedSimd: true }].map((options) => kernels.createDevice(kind, options)));
}

const isRelaxed = ({ description }) => description.includes('relaxed');

export async function* run({ peer, args, note }) {
  if (process.version.startsWith('v20.')) setFlagsFromString('--experimental-wasm-relaxed-simd'); // later versions have it on
  const kernels = await import(pathToFileURL(join(root, 'packages/kernels/dist/index.js')).href); // main.mjs has built it by now
  const devices = await createDevices(kernels, option(args, '--device', 'wasm')), ceilings = await createCeilings(), torch = withPeers ? await createTorch(note) : undefined;
  for (const device of devices) note(device.description);
  const only = option(args, '--only', '');
  try {
    for (const kernelCase of kernelCases(kernels)) if (kernelCase.name.includes(only)) yield* measureCase(kernelCase, devices, ceilings, { peer, note, torch });
    if (args.includes('--long')) yield* longAttention(kernels, devices.findLast((device) => !isRelaxed(device)), ceilings, note);
  } finally {
    await Promise.all([...devices.map((device) => device.destroy()), ceilings.end(), torch?.end()]);
  }
}

const labelOf = (device) => (device.kind === 'wasm' ? `${isRelaxed(device) ? 'relaxed, ' : ''}${device.limits.threads} thread${device.limits.threads === 1 ? '' : 's'}` : device.kind);

const ceilingOf = (device, kind, ceilings) => (kind === 'reading' ? ceilings.reading : isRelaxed(device) ? ceilings.fused : ceilings.arithmetic)[Math.min(2, device.limits.threads)];

async function* measureCase({ name, unit, amount, repeats, ceiling, tolerance, prepare, peers: others }, devices, ceilings, context) {
  const live = devices.map(({ memory }) => memory.live), ours = [];
  for (const device of devices) ours.push(await prepare(device));
  const rivals = withPeers && devices[0].kind === 'wasm' ? await others(context) : [];
  const tops = devices.map((device) => ceilingOf(device, ceiling, ceilings));
  for (const { memory } of devices) memory.peak = memory.live;
  await assertSame(name, devices, ours, rivals, tolerance);
  const probes = [...new Set(tops)], seconds = await interleave([...ours, ...rivals.map(({ run }) => run), ...probes.map(({ run }) => async () => run())], repeats, byProcessor ? processorTime : undefined);
  const rates = seconds.map((time, i) => (probes[i - ours.length - rivals.length]?.amount ?? amount) / time);
  const peakOf = (i) => Math.round((devices[i].memory.peak - live[i]) / 1e5) / 10;
  const row = (i, j, against) => ({ name: `${name}, ${labelOf(devices[i])} | ${against}`, ours: rates[i], peer: rates[j], ratio: rates[i] / rates[j], unit, peakMegabytes: peakOf(i) });
  for (const i of devices.keys()) yield row(i, ours.length + rivals.length + probes.indexOf(tops[i]), tops[i].name);
  const relaxed = devices.findIndex(isRelaxed), more = devices.findIndex(({ limits }) => limits.threads > 1);
  if (relaxed >= 0) yield row(relaxed, 0, 'ours, 1 thread');
  for (const i of [0, relaxed]) if (i >= 0) for (const [j, { name: rival }] of rivals.entries()) yield row(i, ours.length + j, rival);
  if (more > 0 && devices[0].kind === 'wasm') {
    if (seconds[0] > 1) yield row(more, 0, '1 thread');
    else yield* pairs(name, unit, [{ amount, run: ours[0] }, { amount, run: ours[more] }, ceilingOf(devices[0], ceiling, ceilings), tops[more]], labelOf(devices[more]));
  }
  for (const arm of [...ours, ...rivals.map(({ run }) => run)]) await arm.end?.();
}

/** Many threads beside one, and how far the machine lets them: as many pairs as eight seconds hold, 60 at most. For runs of a second at most. */
async function* pairs(name, unit, arms, label) {
  const seconds = arms.map(() => []), runs = arms.map(({ run }) => async () => run());
  for (let begun = performance.now(); seconds[0].length < 60 && performance.now() - begun < 8000;) for (const [i, run] of runs.entries()) seconds[i].push(await wallClock(run));
  const rates = arms.map(({ amount }, i) => amount / median(seconds[i])), ratioOf = (more, one) => median(seconds[one].map((time, i) => (arms[more].amount * time) / (arms[one].amount * seconds[more][i])));
  const [ratio, possible] = [ratioOf(1, 0), ratioOf(3, 2)];
  yield { name: `${name}, ${label} | 1 thread, ${seconds[0].length} pairs`, ours: rates[1], peer: rates[0], ratio, unit };
  yield { name: `${arms[3].name} | one, in turn with them`, ours: rates[3], peer: rates[2], ratio: possible, unit: arms[3].unit };
  yield { name: `${name}: what ${label} gain | what the machine gives them`, ours: ratio, peer: possible, ratio: ratio / possible, unit: 'times' };
}

/** Our devices give the same bits whatever the threads; relaxed SIMD and others the same numbers, relative to the largest. */
async function assertSame(name, devices, ours, rivals, tolerance) {
  const values = [];
  for (const arm of ours) values.push(await arm());
  for (const [i, other] of values.entries()) if (!isRelaxed(devices[i]) && values[0].some((value, at) => !Object.is(value, other[at]))) throw new Error(`bench: expected the same bits for ${name} on ${labelOf(devices[i])} as on ${labelOf(devices[0])}, got others`);
  const largest = values[0].reduce((most, value) => Math.max(most, Math.abs(value)), 0), relaxed = devices.flatMap((device, i) => (isRelaxed(device) ? [{ name: labelOf(device), run: () => values[i] }] : []));
  for (const { name: rival, run: arm } of [...relaxed, ...rivals]) {
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
  const clock = byProcessor ? processorTime : wallClock, top = () => clock(async () => ceilingOf(device, 'arithmetic', ceilings).run());
  await top(); // compiles it
  const before = await top(), seconds = await clock(once), probe = (before + await top()) / 2;
  const name = `attention ${tokens} tokens, head of ${width}, ${labelOf(device)}`, rate = 4 * tokens ** 2 * width / 1e9 / seconds, { amount, name: against } = ceilingOf(device, 'arithmetic', ceilings), ceiling = amount / probe;
  note(`${name}: ${seconds.toFixed(1)} s`);
  const extra = (device.memory.peak - live - 4 * tokens * (width + 1)) / 1e6;
  yield { name: `${name} | ${against}`, ours: rate, peer: ceiling, ratio: rate / ceiling, unit: 'GFLOP/s', seconds };
  yield { name: `${name} | a matrix of all scores`, ours: extra, peer: 4 * tokens ** 2 / 1e6, ratio: 4 * tokens ** 2 / 1e6 / extra, unit: 'MB' };
  free(qkv);
}
