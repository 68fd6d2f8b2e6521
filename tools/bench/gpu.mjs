// npm run build, then: node tools/bench/gpu.mjs [--toy] [--json FILE] [--only gemm,attention,training,decode] [--webgpu FOLDER] [--python PYTHON]: what a real GPU does with our kernels.
// node tools/bench/gpu.mjs --pack FOLDER: writes all that this needs into a folder (some 100 MB) to carry to such a machine; there: FOLDER/run --json gpu.json [other options]. README.txt in it says the same.
// Ceilings of arithmetic and memory, products, attention, a training step and decoding; beside them, where python3 has torch with CUDA, cuBLAS and its attention in the same run, in turn.
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({ options: { toy: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' }, webgpu: { type: 'string' }, python: { type: 'string', default: 'python3' }, pack: { type: 'string' } } });
const note = (text) => console.error(`# ${text}`);

/** Timestamps unrounded; f16 and matrix units where the driver has them (NVIDIA's are hidden otherwise). */
const flags = ['enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia', 'disable-dawn-features=timestamp_quantization'];

async function openGpu() {
  const carried = options.webgpu ? resolve(options.webgpu) : join(here, 'webgpu');
  const { create, globals } = await import(existsSync(join(carried, 'index.js')) ? pathToFileURL(join(carried, 'index.js')).href : 'webgpu');
  Object.assign(globalThis, globals);
  const gpu = create(flags), adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('gpu: expected a GPU adapter, got none; install its Vulkan driver, or set VK_DRIVER_FILES to the driver\'s ICD file');
  const { vendor, architecture, description } = adapter.info;
  const limits = Object.fromEntries(['maxBufferSize', 'maxStorageBufferBindingSize', 'maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup'].map((name) => [name, adapter.limits[name]]));
  return { gpu, facts: { vendor, architecture, description, limits, features: [...adapter.features].sort() } };
}

/** Seconds a run, over enough runs for a clock: at least `least` seconds of them. */
async function secondsOf({ run, waits }, wait, least) {
  for (let runs = 1; ;) {
    const begun = performance.now();
    for (let i = 0; i < runs; i++) await run();
    if (!waits) await wait();
    const seconds = (performance.now() - begun) / 1000;
    if (seconds >= least || runs >= 1000) return seconds / runs;
    runs = Math.min(1000, Math.max(runs + 1, Math.ceil((1.3 * runs * least) / seconds)));
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** A Python that measures one case a line; undefined, with a note why, where there is none. */
async function openPeer() {
  const file = [join(here, 'gpuPeers.py'), join(here, 'support/gpuPeers.py')].find(existsSync);
  const child = spawn(options.python, [file], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise((done) => child.on('error', ({ message }) => done({ value: JSON.stringify({ error: message }) })));
  child.stdin.on('error', () => undefined); // it ended: `next` says so
  const next = async () => JSON.parse((await Promise.race([lines.next(), failed])).value ?? '{"error":"it ended"}');
  const facts = await next();
  if (facts.error) {
    note(`no peer: ${facts.error}`);
    return { facts };
  }
  return { facts, measure: (peerCase) => { child.stdin.write(`${JSON.stringify(peerCase)}\n`); return next(); }, end: () => child.stdin.end() };
}

async function main() {
  const { createWebGpuDevice, tensor } = await import('@genomelm/kernels');
  const { attentionCases, decodeCase, fence, gemmCases, trainingCase } = await import('./support/gpuCases.mjs');
  const { copyProbe, fmaProbe } = await import('./support/gpuCeilings.mjs');
  const { toy } = options, [least, rounds] = toy ? [0, 1] : [0.3, 3];
  const { gpu, facts } = await openGpu(), peer = await openPeer();
  /** The device, with the probes of its ceilings. */
  const open = async () => {
    const device = await createWebGpuDevice(gpu), fma = fmaProbe(tensor(device, [0.999, 0.001]), toy), copy = copyProbe(tensor(device, new Float32Array(toy ? 4096 : 2 ** 26)));
    for (const arm of [fma, copy]) {
      await arm.run();
      await fence(device);
    }
    return { device, fma, copy };
  };
  let session = await open();
  const { description, adapter: { software } } = session.device;
  console.log(`${description}; ${Object.entries(facts.limits).map(([name, limit]) => `${name} ${limit}`).join(', ')}; ${['timestamp-query', 'shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'].map((name) => `${facts.features.includes(name) ? '' : 'no '}${name}`).join(', ')}`);
  if (software && !toy) throw new Error(`gpu: expected a GPU, got ${description}; set VK_DRIVER_FILES to the GPU's driver, or try it out with --toy`);
  const ceilings = { fma: [], copy: [] };
  const ceiling = async () => {
    const { device, fma, copy } = session, wait = () => fence(device);
    ceilings.fma.push(fma.flop / 1e12 / (await secondsOf(fma, wait, least)));
    ceilings.copy.push(copy.bytes / 1e9 / (await secondsOf(copy, wait, least)));
  };
  const wanted = options.only?.split(',') ?? ['gemm', 'attention', 'training', 'decode'];
  const cases = Object.entries({ gemm: gemmCases(toy), attention: attentionCases(toy), training: [trainingCase(toy)], decode: toy ? [decodeCase(true)] : [decodeCase(false, '100M'), decodeCase(false, '100M', 16), decodeCase(false, '500M')] }).flatMap(([kind, list]) => (wanted.includes(kind) ? list : []));

  const rows = [];
  let profile;
  const result = () => ({ date: new Date().toISOString(), node: process.version, toy, adapter: facts, description, peer: peer.facts, ceilings: { teraflops: median(ceilings.fma), gigabytesPerSecond: median(ceilings.copy) }, rows, profile });
  const measure = async (each, on, precision) => {
    const name = `${each.name}${precision ? `, ${precision}` : ''}`;
    let row;
    try {
      row = { name, ...(await measurementOf({ each, on, fence, peer, rounds, least, ceiling, ceilings, reference: precision && session.device })) };
    } catch (error) {
      row = { name, error: error.message };
    }
    rows.push(row);
    console.log(describe(row));
    save(result()); // a run that is cut short has measured something
    return row.error === undefined;
  };
  for (const each of cases) {
    if (await measure(each, session.device)) continue;
    await session.device.destroy(); // what it ran after an error would fail with the same error
    session = await open();
  }
  profile = await profileOf(session.device, trainingCase(toy)).catch(({ message }) => note(`no profile: ${message}`));
  save(result()); // before what is experimental: a driver may end the process there
  for (const precision of wanted.includes('gemm') ? ['float16', 'subgroupMatrix'] : []) await measureReduced(gpu, precision, [...gemmCases(toy), ...(wanted.includes('attention') ? attentionCases(toy) : [])], measure);
  const whole = result();
  console.log(`ceilings: ${whole.ceilings.teraflops.toPrecision(3)} TFLOP/s of multiply-adds, ${whole.ceilings.gigabytesPerSecond.toPrecision(3)} GB/s copied`);
  save(whole);
  peer.end?.();
  await session.device.destroy();
}

/** Ours, torch's and the ceilings in turn, `rounds` times; beside a `reference` device also how far the first elements of the results are apart. */
async function measurementOf({ each, on, fence, peer, rounds, least, ceiling, ceilings, reference }) {
  const { free } = await import('@genomelm/kernels');
  const before = on.memory.peak = on.memory.live, waitOn = () => fence(on);
  const prepared = each.prepare(on), arm = { ...prepared, waits: each.waits }, samples = [await prepared.sample?.()];
  await arm.run();
  await waitOn();
  const ours = [], peers = (peer.measure && each.peers) || [], theirs = peers.map(() => []);
  for (let round = 0; round < rounds; round++) {
    ours.push(await secondsOf(arm, waitOn, least));
    for (const [i, list] of theirs.entries()) list.push(await peer.measure(peers[i]));
    await ceiling();
  }
  const seconds = median(ours), peakBytes = on.memory.peak - before;
  prepared.end?.();
  free(prepared.tensors);
  if (reference) samples.push(await sampleOf(each, reference));
  return {
    seconds, spread: Math.max(...ours) / Math.min(...ours), peakBytes, ...(reference && { relativeError: relativeError(...samples) }),
    ...(each.flop && { teraflops: each.flop / 1e12 / seconds, shareOfFma: each.flop / 1e12 / seconds / median(ceilings.fma) }), ...(each.tokens && { tokensPerSecond: each.tokens / seconds }),
    torch: theirs.map((list, i) => besideTorch(peers[i].dtype, list, seconds)),
  };
}

/** Until one fails, or none where the GPU does not offer it. */
async function measureReduced(gpu, reducedPrecision, cases, measure) {
  const { createWebGpuDevice } = await import('@genomelm/kernels');
  try {
    const device = await createWebGpuDevice(gpu, { reducedPrecision });
    for (const each of cases) if (!(await measure(each, device, reducedPrecision))) break;
    await device.destroy();
  } catch (error) {
    note(error.message);
  }
}

function save(result) {
  if (!options.json) return;
  writeFileSync(`${options.json}.part`, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(`${options.json}.part`, options.json);
}

/** The first elements of a case's result, as another device computes them. */
async function sampleOf(each, device) {
  const { free } = await import('@genomelm/kernels');
  const { tensors, sample } = each.prepare(device), values = await sample();
  free(tensors);
  return values;
}

function relativeError(actual, expected) {
  let worst = 0, largest = 0;
  for (let i = 0; i < expected.length; i++) [worst, largest] = [Math.max(worst, Math.abs(actual[i] - expected[i])), Math.max(largest, Math.abs(expected[i]))];
  return worst / largest;
}

function besideTorch(dtype, measured, seconds) {
  const { error } = measured.find((each) => each.error) ?? {};
  if (error) return { dtype, error };
  const own = median(measured.map((each) => each.seconds));
  return { dtype, seconds: own, share: own / seconds };
}

/** Where the time of a training step goes, by op. */
async function profileOf(device, training) {
  const { free } = await import('@genomelm/kernels');
  const { tensors, run, end } = training.prepare(device);
  try {
    await run();
    return await device.profile(run);
  } finally {
    end();
    free(tensors);
  }
}

function describe({ name, error, seconds, peakBytes, teraflops, shareOfFma, tokensPerSecond, relativeError: off, torch = [] }) {
  if (error) return `${name.padEnd(58)} failed: ${error}`;
  const parts = [`${(seconds * 1000).toPrecision(4)} ms`, teraflops && `${teraflops.toPrecision(3)} TFLOP/s, ${(100 * shareOfFma).toFixed(1)} % of multiply-adds`, tokensPerSecond && `${tokensPerSecond.toPrecision(3)} tokens/s`, `${(peakBytes / 1e6).toPrecision(3)} MB at most`, off !== undefined && `off by ${off.toExponential(1)}`, ...torch.map((each) => (each.error ? `torch ${each.dtype}: ${each.error}` : `${(100 * each.share).toFixed(1)} % of torch ${each.dtype}`))];
  return `${name.padEnd(58)} ${parts.filter(Boolean).join(' | ')}`;
}

/** Node, Dawn, our packages and this file in one folder. */
async function pack(folder) {
  const { build } = await import('esbuild');
  const root = resolve(here, '../..'), addon = `dist/${process.platform}-${process.arch}`, dawn = join(root, 'node_modules/webgpu');
  mkdirSync(join(folder, 'webgpu', addon), { recursive: true });
  await build({
    entryPoints: [join(here, 'gpu.mjs')], outfile: join(folder, 'gpu.mjs'), bundle: true, format: 'esm', platform: 'node', target: 'node20', external: ['esbuild', 'webgpu'], conditions: ['@genomelm/source'], loader: { '.wgsl': 'text' }, logLevel: 'warning',
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  for (const file of ['package.json', 'index.js', `${addon}/dawn.node`]) copyFileSync(join(dawn, file), join(folder, 'webgpu', file));
  copyFileSync(join(here, 'support/gpuPeers.py'), join(folder, 'gpuPeers.py'));
  copyFileSync(process.execPath, join(folder, 'node'));
  const { softwareGpuFolder } = await import(pathToFileURL(join(root, 'tools/softwareGpu.mjs')).href);
  const loader = softwareGpuFolder(); // its Vulkan loader serves any driver; Dawn looks beside itself first
  if (loader) copyFileSync(join(loader, 'libvulkan.so.1'), join(folder, 'webgpu', addon, 'libvulkan.so.1'));
  writeFileSync(join(folder, 'run'), '#!/bin/sh\nfolder=$(cd "$(dirname "$0")" && pwd) && exec "$folder/node" "$folder/gpu.mjs" "$@"\n');
  chmodSync(join(folder, 'run'), 0o755);
  writeFileSync(join(folder, 'README.txt'), carried);
  note(`wrote ${folder}; copy it whole to the machine with the GPU, and there: FOLDER/run --json gpu.json`);
}

const carried = `Measures a GPU with the kernels of genomelm. Copy this folder whole to a machine of the same system and processor, and run there:

  FOLDER/run --json gpu.json

It needs the GPU's Vulkan driver (NVIDIA's comes with its driver), and nothing else: Node, Dawn (WebGPU), a Vulkan loader and the packages are here.
Where no adapter is found: VK_DRIVER_FILES=/usr/share/vulkan/icd.d/nvidia_icd.json FOLDER/run ...
Where python3 has torch with CUDA, cuBLAS and torch's attention are measured beside it (--python PYTHON for another one).
--only gemm,attention,training,decode chooses; --toy tries it out in a minute, on a software GPU too. The file is written after each measurement; figures also go to stdout.
`;

try {
  await (options.pack ? pack(resolve(options.pack)) : main());
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
