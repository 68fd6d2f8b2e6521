// What tools/bench/gpu.mjs measures: each case has a number of operations and a function that enqueues them once.
import { alibiSlopes, attention, cast, free, linear, read, scope, sum, tensor, valueAndGrad, zeros } from '@genomelm/kernels';
import { createModel, createOptimizer, dnabert2Config, generate, genomeOceanConfigs, maskedLmLoss, packBatch } from '@genomelm/model';

/** A pattern in [-0.5, 0.5], doubled until it is long enough: hundreds of millions of numbers in a second. */
function numbers(count) {
  const values = new Float32Array(count), first = Math.min(count, 65_521);
  for (let i = 0; i < first; i++) values[i] = Math.sin(i * 12.9898) * 0.5;
  for (let done = first; done < count; done *= 2) values.copyWithin(done, 0, Math.min(done, count - done));
  return values;
}

/** torch's own in single precision, and in half precision, where its matrix units are. */
const peersOf = (peer) => ['float32', 'float16'].map((dtype) => ({ ...peer, dtype }));

const gemmShapes = [[1024, 1024, 1024], [2048, 2048, 2048], [4096, 4096, 4096], [8192, 8192, 8192], [512, 3072, 768], [8192, 2304, 768], [8192, 768, 3072], [1, 4096, 4096], [8, 4096, 4096]];

/** x [m, k] times weight [n, k], as every layer does. */
export const gemmCases = (toy) => (toy ? [[64, 48, 32], [1, 64, 64]] : gemmShapes).flatMap(([m, n, k]) => ['float32', 'float16'].map((dtype) => ({
  name: `linear ${m} x ${n} x ${k}, ${dtype} weights`, peers: peersOf({ kind: 'gemm', m, n, k }), flop: 2 * m * n * k,
  prepare(device) {
    const x = tensor(device, numbers(m * k), [m, k]), weight = scope(() => cast(tensor(device, numbers(n * k), [n, k]), dtype));
    const sample = async () => { const y = linear(x, weight), values = await read({ ...y, shape: [Math.min(4096, m * n)] }); free(y); return values; };
    return { tensors: [x, weight], sample, run: () => scope(() => void linear(x, weight)) };
  },
})));

/** Twelve heads of 64 with symmetric ALiBi, one sequence. A backward pass has five products for the forward pass's two. */
export const attentionCases = (toy) => (toy ? [96] : [1024, 4096, 16384, 65536, 140_000]).flatMap((tokens) => ['forward', 'forward and backward'].map((pass) => {
  const heads = toy ? 2 : 12, headDim = 64, once = 4 * tokens ** 2 * headDim * heads;
  return {
    name: `attention ${tokens} tokens, ${pass}`, peers: peersOf({ kind: 'attention', tokens, heads, headDim, pass }), flop: pass === 'forward' ? once : 3.5 * once,
    prepare(device) {
      const qkv = tensor(device, numbers(tokens * 3 * heads * headDim), [tokens, 3, heads, headDim]), options = { cuSeqlens: [0, tokens], alibiSlopes: alibiSlopes(heads) };
      const forward = (p) => attention({ qkv: p }, options).output;
      const sample = async () => { const y = scope(() => forward(qkv)), values = await read({ ...y, shape: [4096] }); free(y); return values; };
      return { tensors: [qkv], sample, run: () => scope(() => { if (pass === 'forward') forward(qkv); else valueAndGrad((p) => sum(forward(p)))(qkv); }) };
    },
  };
}));

const toyConfig = { vocabSize: 64, hiddenSize: 32, numLayers: 1, numHeads: 2, intermediateSize: 64 };

/** A step of masked language modelling of DNABERT-2's shape: forward, backward, clipping, AdamW. Six operations a parameter and token, and attention. */
export function trainingCase(toy) {
  const config = { ...dnabert2Config, hiddenDropout: 0, ...(toy && toyConfig) }, [sequences, length] = toy ? [2, 16] : [32, 512];
  const tokens = sequences * length, { hiddenSize, intermediateSize, numLayers, vocabSize } = config;
  const products = numLayers * (4 * hiddenSize ** 2 + 3 * hiddenSize * intermediateSize), labelled = Math.ceil(tokens / 7);
  const flop = 6 * (tokens * products + labelled * (hiddenSize ** 2 + hiddenSize * vocabSize)) + 3.5 * 4 * sequences * length ** 2 * hiddenSize * numLayers;
  return {
    name: `training step, ${numLayers} layers of ${hiddenSize}, ${sequences} x ${length} tokens`, flop, tokens,
    prepare(device) {
      const model = createModel(config, { device, seed: 1 }), optimizer = createOptimizer(model.params);
      const batch = packBatch(Array.from({ length: sequences }, (_, s) => Uint32Array.from({ length }, (_token, i) => 5 + ((7 * i + 3 * s) % (vocabSize - 5)))));
      const labels = Int32Array.from(batch.inputIds, (id, i) => (i % 7 ? 0 : id));
      return {
        tensors: [model.params], end: () => optimizer.dispose(),
        run: () => scope(() => optimizer.update(valueAndGrad((params) => maskedLmLoss({ ...model, params }, batch, labels))(model.params).grads, 1e-4)),
      };
    },
  };
}

/** Greedy decoding by a decoder of GenomeOcean's shapes with random weights: new tokens a second. Waits by itself, as every token is read. */
export function decodeCase(toy, size = '100M', sequences = 1) {
  const config = toy ? { ...genomeOceanConfigs['100M'], ...toyConfig, numKvHeads: 2, headDim: 16 } : genomeOceanConfigs[size], newTokens = toy ? 3 : 128;
  const encoder = { vocabSize: config.vocabSize, specialIds: {}, encode: () => Uint32Array.of(5), decode: (ids) => 'A'.repeat(ids.length) };
  const prompt = Uint32Array.from({ length: toy ? 4 : 256 }, (_, i) => 5 + (i % (config.vocabSize - 5)));
  return {
    name: `decoding, ${toy ? 'toy' : size}, ${sequences} sequence${sequences === 1 ? '' : 's'}`, tokens: newTokens * sequences, waits: true,
    prepare(device) {
      const model = createModel(config, { device, seed: 1 });
      const run = async () => { for await (const { ids } of generate(model, encoder, [prompt], { num: sequences, maxNewTokens: newTokens, minNewTokens: newTokens, temperature: 0, seed: 1 })) if (ids.length !== newTokens) throw new Error(`gpu: expected ${newTokens} new tokens, got ${ids.length}`); };
      return { tensors: [model.params], run };
    },
  };
}

/** Waits for everything enqueued before. */
export const fence = async (device) => { const token = zeros(device, [1]); await read(token); device.free(token.buffer); };
