// npm run bench -- generate [--json [FILE]] [--tokens N] [--batch N] [--layers N] [--no-peers | --only-peers] [--processor-time]
// What each part of the engine brings, at the shape of GenomeOcean-100M with random weights: cumulative, and left out of the whole; then beside llama.cpp, torch, what reading the weights alone takes, and a Markov chain.
// The work of an arm is put together from parts measured in turn: the recompute path from full forward passes at 8 lengths (the sum over all lengths by straight lines between), decoding from steps at 3 lengths of context
// whose caches are full, prompts from pieces of 512 tokens. Quality: greedy tokens against the recompute path, and the largest difference of a log-probability.
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { build } from 'esbuild';
import { root } from '../run.mjs';
import { median } from './measure.mjs';
import { createCeilings } from './support/ceilings.mjs';
import { numbers } from './support/numbers.mjs';
import { createOnnxLinears } from './support/onnxLinears.mjs';
import { createLlama, createTorchDecoder, generationPeerVersions, markovBasesPerSecond } from './support/generationPeers.mjs';

export const packages = ['@genomelm/kernels', '@genomelm/model'];
const withPeers = !process.argv.includes('--no-peers');
export const peers = withPeers ? generationPeerVersions : {};

const prompt = 128, basesPerToken = 4.9; // of GenomeOcean's tokens
const option = (args, name, otherwise) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
const sum = (values) => values.reduce((a, b) => a + b, 0);
/** Seconds by the clock, or of the processor and on one thread: these do not grow with what else the machine does. */
const processorTime = process.argv.includes('--processor-time');
const now = processorTime ? () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; } : () => performance.now() / 1000;
const seconds = async (run) => {
  const begun = now();
  await run();
  return now() - begun;
};

/** The straight lines through measured points, and beyond them. */
function lines(points) {
  return (x) => {
    const i = Math.min(points.length - 2, Math.max(0, points.findIndex(([at]) => at >= x) - 1)), [[x0, y0], [x1, y1]] = points.slice(i, i + 2);
    return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
  };
}
const sumOver = (from, count, of) => sum(Array.from({ length: count }, (_, i) => of(from + i)));

/** The kernels with products that do nothing else: what fused ones bring is seen against these. */
const unfused = `export * from 'kernels';
import { add, linear as fused, silu } from 'kernels';
export function linear(x, weight, bias, { activation, residual } = {}) {
  if (activation && activation !== 'silu') throw new TypeError('bench: expected silu, got ' + activation);
  const y = fused(x, weight, bias), active = activation ? silu(y) : y;
  return residual ? add(active, residual) : active;
}`;

/** The engine's inside, which no one else should build on. */
async function loadInside({ fusing }) {
  const outfile = join(root, `tools/bench/peers/engineInside${fusing ? '' : 'Unfused'}.mjs`), kernels = '@genomelm/kernels';
  mkdirSync(join(root, 'tools/bench/peers'), { recursive: true });
  const split = { name: 'unfused', setup: (builder) => {
    builder.onResolve({ filter: /^(@genomelm\/)?kernels$/ }, ({ path }) => (fusing || path !== kernels ? { path: kernels, external: true } : { path, namespace: 'unfused' }));
    builder.onLoad({ filter: /.*/, namespace: 'unfused' }, () => ({ contents: unfused }));
  } };
  await build({ stdin: { contents: "export * from './src/generate/kvCache'; export * from './src/generate/decodeSteps'; export * from './src/generate/sample'; export * from './src/generate/sampling';", resolveDir: join(root, 'packages/model'), loader: 'ts' }, bundle: true, format: 'esm', platform: 'node', plugins: [split], outfile, logLevel: 'error' });
  return import(pathToFileURL(outfile).href);
}

/** Uniform numbers of deviation 0.029, from a list that is repeated. */
function randomWeights(shapes) {
  const list = numbers(1, 2 ** 20 + 7).map((value) => value * 0.1);
  let at = 0;
  return Object.fromEntries(shapes.map(([name, shape]) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    if (name.endsWith('norm.weight')) data.fill(1);
    else for (let i = 0; i < data.length; at = 0) { const piece = list.subarray(at = (at + i * 31) % list.length, at + data.length - i); data.set(piece, i); i += piece.length; }
    return [name, { shape, data }];
  }));
}

function shapesOf({ vocabSize, hiddenSize, numLayers, numHeads, numKvHeads, headDim, intermediateSize }) {
  const layer = (i) => Object.entries({
    'input_layernorm': [hiddenSize], 'post_attention_layernorm': [hiddenSize], 'self_attn.q_proj': [numHeads * headDim, hiddenSize], 'self_attn.k_proj': [numKvHeads * headDim, hiddenSize], 'self_attn.v_proj': [numKvHeads * headDim, hiddenSize],
    'self_attn.o_proj': [hiddenSize, numHeads * headDim], 'mlp.gate_proj': [intermediateSize, hiddenSize], 'mlp.up_proj': [intermediateSize, hiddenSize], 'mlp.down_proj': [hiddenSize, intermediateSize],
  }).map(([name, shape]) => [`model.layers.${i}.${name}.weight`, shape]);
  return [['model.embed_tokens.weight', [vocabSize, hiddenSize]], ['model.norm.weight', [hiddenSize]], ['lm_head.weight', [vocabSize, hiddenSize]], ...Array.from({ length: numLayers }, (_, i) => layer(i)).flat()];
}

export async function* run({ peer, args, note }) {
  const [kernels, library] = await Promise.all(['kernels', 'model'].map((name) => import(pathToFileURL(join(root, `packages/${name}/dist/index.js`)).href)));
  const threads = processorTime ? 1 : Math.min(2, availableParallelism());
  const tokens = option(args, '--tokens', 1024), batch = option(args, '--batch', 32), config = { ...library.genomeOceanConfigs['100M'], numLayers: option(args, '--layers', 12) };
  const weights = randomWeights(shapesOf(config)), files = { config: library.serializeConfig(config), weights: library.serializeSafetensors(weights) };
  const bench = createBench({ kernels, library, insides: { fused: await loadInside({ fusing: true }), unfused: await loadInside({ fusing: false }) }, config, files, batch, tokens });

  if (args.includes('--only-peers')) await bench.open({ threads, keep: true });
  else yield* ablation({ bench, note, batch, tokens, threads });
  yield* besideOthers({ peer, note, bench, config, weights, threads, batch });
  await bench.end();
}

async function* ablation({ bench, note, batch, tokens, threads }) {
  const apart = await bench.measure({ threads: 1, fusing: false, lengths: 2 }), apartAll = threads > 1 ? await bench.measure({ threads, fusing: false }) : apart;
  const one = await bench.measure({ threads: 1, ...(threads === 1 && { lengths: 8, keep: true }) }), all = threads > 1 ? await bench.measure({ threads, lengths: 8, keep: true }) : one;
  note(`recompute path at ${prompt + tokens} tokens: ${((prompt + tokens) / all.full(prompt + tokens)).toFixed(0)} tokens/s; packed forward of four times a quarter: ${all.packed.toFixed(0)}`);
  yield { name: 'recompute path, tokens/s of its forward pass | packed forward', ours: (prompt + tokens) / all.full(prompt + tokens), peer: all.packed, ratio: all.againstPacked, unit: 'tok/s' };
  const half = await bench.measure({ threads, dtype: 'float16' }), eight = await bench.measure({ threads, dtype: 'int8' });

  const job = (parts, { cache = true, batching = true, sharing = true } = {}) => {
    if (!cache) return batch * sumOver(prompt, tokens, parts.full);
    const prefill = (sharing ? prompt + (batch - 1) * 16 : batch * prompt) / parts.prefill;
    return prefill + (batching ? sumOver(prompt, tokens, parts.many) : batch * sumOver(prompt, tokens, parts.single));
  };
  const extra = (parts, batching) => {
    const steps = batching ? parts.stepsMany : parts.stepsSingle, sorted = [...steps].sort((a, b) => a - b);
    return { millisecondsP50: 1000 * median(steps), millisecondsP95: 1000 * sorted[Math.floor(0.95 * (sorted.length - 1))], bytesPerToken: parts.bytesPerToken, quality: parts.quality };
  };
  const row = (name, parts, which, against) => {
    const [ours, theirs] = [job(parts, which), against].map((time) => (batch * tokens) / time);
    return { name, ours, peer: theirs, ratio: ours / theirs, unit: 'tok/s', basesPerSecond: ours * basesPerToken, ...extra(parts, which.cache !== false && which.batching !== false) };
  };
  const none = { cache: false }, cached = { batching: false, sharing: false }, batched = { sharing: false }, whole = {};
  const ladder = [['recompute, 1 thread', apart, none], ['+ KV cache', apart, cached], [`+ batch of ${batch}`, apart, batched], ['+ shared prompts', apart, whole], ['+ fused kernels', one, whole], ...(threads > 1 ? [[`+ ${threads} threads`, all, whole]] : []), ['+ 8-bit weights', eight, whole]];
  for (const [i, [name, parts, which]] of ladder.entries()) yield row(`cumulative: ${name} | the row above`, parts, which, job(...ladder[Math.max(0, i - 1)].slice(1)));
  yield row('16-bit weights in the place of 8 | float32', half, whole, job(all, whole));
  const full = job(all, whole);
  for (const [name, parts, which] of [['KV cache', all, none], ['batching', all, { batching: false }], ['shared prompts', all, batched], ['fused kernels', apartAll, whole], ...(threads > 1 ? [[`${threads} threads`, one, whole]] : [])]) {
    yield row(`float32 without ${name} | the whole`, parts, which, full);
  }
  const recompute = batch * sumOver(1, tokens, all.full), decode = sumOver(1, tokens, all.many);
  yield { name: `KV cache and batch ${batch}, ${tokens} new tokens from nothing | recompute, ${threads} threads`, ours: (batch * tokens) / decode, peer: (batch * tokens) / recompute, ratio: recompute / decode, unit: 'tok/s' };
}

async function* besideOthers({ peer, note, bench, config, weights, threads, batch }) {
  const ceilings = await createCeilings(), llama = withPeers ? await createLlama(peer, config, weights, threads, now) : undefined, torch = withPeers ? await createTorchDecoder(config, threads, note, processorTime) : undefined;
  const relaxed = await openRelaxed(bench, threads, note);
  const onnx = withPeers ? await createOnnxLinears(peer, config, weights, threads, now) : undefined;
  const read = 4 * (bench.parameters - config.vocabSize * config.hiddenSize) / 1e9; // GB that a step reads of the weights
  try {
    if (llama) {
      const [ours, theirs] = [await bench.greedy([1, 300, 301, 302], 16), await llama.greedy([1, 300, 301, 302], 16)];
      note(`greedy tokens equal llama.cpp's for ${ours.findIndex((id, i) => id !== theirs[i]) < 0 ? 'all 16' : `the first ${ours.findIndex((id, i) => id !== theirs[i])}`}`);
    }
    for (const size of [1, batch]) {
      const count = size === 1 ? 12 : 4, arms = [['the same with relaxed SIMD', relaxed], ['llama.cpp', llama], ['torch', torch], ['onnxruntime-node, linear maps alone', onnx]].filter(([, arm]) => arm), times = [[], ...arms.map(() => [])], reads = [];
      for (let round = 0; round < 7; round++) { // short ones, as the machine's speed may change within seconds
        times[0].push(...(await bench.engineSteps(size, count)));
        for (const [i, [, arm]] of arms.entries()) times[i + 1].push(...(await arm.steps(size, count)).slice(1));
        const { amount, run: readAll } = ceilings.reading[threads];
        reads.push(amount / (await seconds(async () => readAll())));
      }
      const rates = times.map((own) => size / median(own)), rateOf = (wanted) => rates[1 + arms.findIndex(([name]) => name === wanted)];
      for (const [i, [name]] of arms.entries()) yield { name: `decode, batch ${size}, ${threads} threads | ${name}`, ours: rates[0], peer: rates[i + 1], ratio: rates[0] / rates[i + 1], unit: 'tok/s' };
      if (relaxed && llama) yield { name: `decode with relaxed SIMD, batch ${size}, ${threads} threads | llama.cpp`, ours: rates[1], peer: rateOf('llama.cpp'), ratio: rates[1] / rateOf('llama.cpp'), unit: 'tok/s' };
      const ceiling = size * median(reads) / read;
      yield { name: `decode, batch ${size}, ${threads} threads | reading the weights once a step, ${median(reads).toFixed(1)} GB/s`, ours: rates[0], peer: ceiling, ratio: rates[0] / ceiling, unit: 'tok/s' };
      if (size === batch) {
        const floor = markovBasesPerSecond();
        yield { name: `bases of batch ${size} | a Markov chain of order 8`, ours: rates[0] * basesPerToken, peer: floor, ratio: (rates[0] * basesPerToken) / floor, unit: 'bp/s' };
      }
    }
  } finally {
    torch?.end();
    await Promise.all([relaxed?.end(), llama?.end(), onnx?.end(), ceilings.end()]);
  }
}

/** The same model on a device with fused multiply-adds; Node 20 has them behind a flag, later ones always. */
async function openRelaxed(bench, threads, note) {
  if (process.version.startsWith('v20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  try {
    const opened = await bench.open({ threads, relaxedSimd: true });
    return { steps: (size, count) => bench.engineSteps(size, count, opened), end: () => opened.device.destroy() };
  } catch (error) {
    note(error.message);
    return undefined;
  }
}

/** Measures the parts of which jobs are made. */
function createBench({ kernels, library, insides, config, files, batch, tokens }) {
  const longest = prompt + tokens;
  let kept;

  async function open({ threads, dtype = 'float32', keep = false, relaxedSimd = false }) {
    const device = await kernels.createDevice('wasm', { threads, relaxedSimd });
    const model = await library.loadPretrained(files, { device, architecture: 'decoder' });
    const opened = { device, model: dtype === 'float32' ? model : library.storeWeights(model, dtype) };
    if (keep) kept = opened;
    return opened;
  }

  const ids = (length) => Uint32Array.from({ length }, (_, i) => (i === 0 ? 1 : 300 + ((i * 7919) % 3000)));

  async function forwardSeconds(model, lengths) {
    return seconds(async () => {
      const logits = library.causalLmLogits(model, library.packBatch(lengths.map(ids)), [lengths.length - 1]);
      await kernels.read(logits);
      kernels.free(logits);
    });
  }

  /** Steps for `size` sequences with `length` tokens behind them, whose pages are theirs alone and were written. */
  async function stepsAt(inside, cache, steps, size, length, count) {
    const all = Array.from({ length: size }, () => {
      const sequence = inside.newSequence(ids(length + 1));
      inside.extend(cache, sequence, length);
      sequence.length = length;
      return sequence;
    });
    const times = [];
    for (let i = -1; i < count; i++) {
      const time = await seconds(async () => {
        for (const sequence of all) inside.extend(cache, sequence, 1);
        const logits = steps.run(all.map((sequence) => ({ sequence, tokens: 1 })));
        const sampling = inside.settleSampling({}, config);
        const drawn = await inside.drawTokens(logits, all.map((_, sample) => ({ sampling, sample, counts: undefined, newTokens: i + 1, newBases: 0 })));
        all.forEach((sequence, row) => sequence.ids.push(drawn.ids[row]));
      });
      if (i >= 0) times.push(time); // the first one warms up
    }
    for (const sequence of all) inside.restart(cache, sequence, []);
    return times;
  }

  async function measure({ threads, dtype = 'float32', lengths = 0, keep = false, fusing = true }) {
    const inside = fusing ? insides.fused : insides.unfused;
    const { device, model } = await open({ threads, dtype, keep });
    const points = Array.from({ length: lengths }, (_, i) => Math.round((longest * (i + 1)) / lengths)), forwards = [[1, (await forwardSeconds(model, [1]), await forwardSeconds(model, [1]))]];
    for (const length of points) forwards.push([length, await forwardSeconds(model, [length])]);
    const pairs = []; // one long sequence and four of a quarter, in turn, as they are compared
    for (let i = 0; lengths > 2 && i < 5; i++) {
      const own = {}, arms = [['packed', new Array(4).fill(longest / 4)], ['alone', [longest]]];
      for (const [name, each] of i % 2 ? arms.reverse() : arms) own[name] = await forwardSeconds(model, each);
      pairs.push(own);
    }
    const packed = longest / median(pairs.map((pair) => pair.packed)), againstPacked = median(pairs.map((pair) => pair.packed / pair.alone));
    const full = lines([...forwards.filter(([length]) => !pairs.length || length !== longest), ...(pairs.length ? [[longest, median(pairs.map(({ alone }) => alone))]] : [])]);
    const cache = inside.createKvCache(model, { tokens: Math.max(576, batch * (longest + 48)), dtype: 'float32' });
    for (const { key, value } of cache.layers) kernels.fill(kernels.fill(key, 0.01) && value, 0.02); // pages that were never written would all be one
    const steps = inside.createDecodeSteps(model, cache), sequence = inside.newSequence(ids(512));
    inside.extend(cache, sequence, 512);
    const prefill = 512 / (await seconds(async () => kernels.read(steps.run([{ sequence, tokens: 512 }]))));
    inside.restart(cache, sequence, []);
    const contexts = [32, Math.round(longest / 2), longest - 16], single = [], many = [];
    for (const context of contexts) {
      single.push(await stepsAt(inside, cache, steps, 1, context, 8));
      many.push(await stepsAt(inside, cache, steps, batch, context, 3));
    }
    steps.free();
    cache.free();
    const through = (times) => lines(contexts.map((context, i) => [context, median(times[i])]));
    const parts = {
      full: lengths ? full : undefined, packed, againstPacked, prefill, single: through(single), many: through(many), stepsSingle: single.flat(), stepsMany: many.flat(), bytesPerToken: inside.cacheBytesPerToken(config, 'float32'), quality: await quality(model),
    };
    if (!keep) await device.destroy();
    return parts;
  }

  /** Greedy tokens of the recompute path, once; every model is compared with them. */
  let naive;
  async function quality(model) {
    const [begin, count] = [[1, 300, 301, 302], 12];
    if (!naive) {
      naive = [];
      const own = [...begin];
      for (let i = 0; i < count; i++) {
        const logits = library.causalLmLogits(model, library.packBatch([Uint32Array.from(own)]), [own.length - 1]), scores = await kernels.read(logits);
        kernels.free(logits);
        const top = scores.reduce((a, b) => Math.max(a, b)), id = scores.indexOf(top);
        naive.push({ id, logProb: -Math.log(scores.reduce((total, score) => total + Math.exp(score - top), 0)) });
        own.push(id);
      }
    }
    const engine = library.createGenerationEngine(model, { cacheTokens: 256 }), drawn = [];
    for await (const event of engine.submit({ promptIds: begin, temperature: 0, stopIds: [], maxNewTokens: count })) drawn.push(event);
    await engine.close();
    const same = drawn.findIndex(({ id }, i) => id !== naive[i].id), until = same < 0 ? count : same;
    return { greedyTokensEqual: until, of: count, largestLogProbDifference: drawn.slice(0, until).reduce((most, { logProb }, i) => Math.max(most, Math.abs(logProb - naive[i].logProb)), 0) };
  }

  return {
    measure,
    open,
    parameters: library.countParameters(config),
    async greedy(promptIds, count) {
      const engine = library.createGenerationEngine(kept.model, { cacheTokens: 256 }), drawn = [];
      for await (const { id } of engine.submit({ promptIds, temperature: 0, stopIds: [], maxNewTokens: count })) drawn.push(id);
      await engine.close();
      return drawn;
    },
    /** Seconds of each step of the engine from nothing, but the first. */
    async engineSteps(size, count, { model } = kept) {
      const engine = library.createGenerationEngine(model, { maxSequences: size, cacheTokens: size * 64 + 64 }), times = [];
      await Promise.all(Array.from({ length: size }, async (_, sample) => {
        for await (const { id } of engine.submit({ promptIds: [1, 300 + sample], sample, stopIds: [], maxNewTokens: count + 1 })) if (sample === 0 && id >= 0) times.push(now());
      }));
      await engine.close();
      return times.slice(2).map((time, i) => time - times[i + 1]);
    },
    end: () => kept.device.destroy(),
  };
}
