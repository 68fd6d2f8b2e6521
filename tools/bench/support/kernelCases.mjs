// What `npm run bench -- kernels` measures: for each case our arm on a device, and how others do the same.
import { matmulPeers } from './matmulPeers.mjs';
import { numbers } from './numbers.mjs';

/**
 * A case: `amount` of `unit` in one run; `prepare(device)` gives our arm, which returns some of the numbers; `peers(context)` gives arms of others.
 * `ceiling` is what it is compared with: arithmetic, or reading memory.
 */
export function kernelCases(kernels) {
  const { alibiSlopes, attention, cast, embedding, geglu, layerNorm, leaves, linear, linearCrossEntropy, mapTree, add, adamW, ones, quantizeRows, reshape, scale, scope, squaredNorm, sum, tensor, valueAndGrad, zeros } = kernels;
  const filled = (device, seed, shape, size) => tensor(device, numbers(seed, shape.reduce((a, b) => a * b, 1), size), shape);

  /** Tensors that stay, and a function of them; calling it waits for the device and gives the first of its numbers. */
  function measured(device, tensors, f) {
    const arm = async () => {
      const y = scope(() => {
        const all = f(tensors), size = kernels.sizeOf(all);
        return kernels.slice(reshape(all, [size]), 0, Math.min(64, size));
      });
      const values = await kernels.read(y);
      kernels.free(y);
      return values;
    };
    return Object.assign(arm, { end: () => kernels.free(leaves(tensors)) });
  }

  const product = (m, k, n, { repeats = 9, others = false } = {}) => ({
    name: `linear ${m} x ${k} x ${n}`, unit: 'GFLOP/s', amount: 2 * m * k * n / 1e9, repeats, ceiling: 'arithmetic', tolerance: 1e-4,
    prepare: (device) => measured(device, { x: filled(device, 1, [m, k]), weight: filled(device, 2, [n, k]) }, ({ x, weight }) => linear(x, weight)),
    async peers({ peer, note, torch }) {
      if (!others) return [];
      const found = await matmulPeers({ x: numbers(1, m * k), weight: numbers(2, n * k), m, k, n, peer, note });
      return torch ? [...found, { name: 'numpy', run: await torch.prepare({ case: 'linear', m, k, n }) }] : found;
    },
  });

  /** All linear maps of one token through a decoder of 100 M parameters: the time goes into reading weights, once for the whole batch. */
  function decoding(type, batch) {
    const shapes = Array.from({ length: 12 }, () => [[2304, 768], [768, 768], [6144, 768], [768, 3072]]).flat(), bytes = { float32: 4, float16: 2, int8: 1 };
    const store = (weight) => (type === 'float32' ? weight : type === 'int8' ? quantizeRows(weight) : cast(weight, type));
    return {
      name: `weights of a 100 M decoder in ${type}, batch ${batch}`, unit: 'GB/s', amount: shapes.reduce((all, [n, k]) => all + n * k, 0) * bytes[type] / 1e9, repeats: 7, ceiling: 'reading', tolerance: 1e-4,
      prepare(device) {
        const weights = shapes.map(([n, k], i) => scope(() => store(filled(device, i, [n, k])))), inputs = Object.fromEntries([768, 3072].map((k) => [k, filled(device, 99, [batch, k])]));
        return measured(device, { weights, inputs }, (p) => p.weights.map((weight) => linear(p.inputs[(weight.values ?? weight).shape[1]], weight)).at(-1));
      },
      peers: async () => [],
    };
  }

  const tokens = 4096, width = 64;
  const qkv = (device) => ({ qkv: filled(device, 3, [tokens, 3, 1, width]) });
  /** Counted as if every query met every key. ALiBi of 1/16 leaves keys beyond some 1,440 tokens no weight, and ours does not visit them; of 1/256 all have some. */
  const attend = (slope) => ({
    name: `attention ${tokens} tokens, head of ${width}, ALiBi 1/${1 / slope}`, unit: 'GFLOP/s', amount: 4 * tokens ** 2 * width / 1e9, repeats: 9, ceiling: 'arithmetic', tolerance: 1e-4,
    prepare: (device) => measured(device, qkv(device), (p) => attention(p, { cuSeqlens: [0, tokens], alibiSlopes: [slope] }).output),
    peers: async ({ torch }) => (torch ? [{ name: 'torch, naive', run: await torch.prepare({ case: 'attention', tokens, width, slope }) }] : []),
  });
  const options = { cuSeqlens: [0, tokens], alibiSlopes: [1 / 16] };
  const attentions = [
    attend(1 / 256), attend(1 / 16),
    {
      name: `attention ${tokens} tokens, with gradient`, unit: 'GFLOP/s', amount: 14 * tokens ** 2 * width / 1e9, repeats: 5, ceiling: 'arithmetic', tolerance: 1e-4,
      prepare: (device) => measured(device, qkv(device), (p) => valueAndGrad((q) => sum(attention(q, options).output))(p).grads.qkv),
      peers: async () => [],
    },
  ];

  /** An encoder of DNABERT-2's shape: parameters, and hidden states of ids. torchPeer.py has the same, with weights in the same order. */
  function encoder(device, { width: hidden, heads, inner, layers, vocab }) {
    let seed = 0;
    const weight = (...shape) => filled(device, ++seed, shape, Math.sqrt(6 / (shape[0] + shape[1]))), norm = () => ({ weight: ones(device, [hidden]), bias: zeros(device, [hidden]) });
    const map = (outputs, inputs) => ({ weight: weight(outputs, inputs), bias: zeros(device, [outputs]) });
    const params = {
      embedding: weight(vocab, hidden), head: weight(vocab, hidden),
      layers: Array.from({ length: layers }, () => ({ qkv: map(3 * hidden, hidden), out: map(hidden, hidden), norm: norm(), gated: weight(2 * inner, hidden), wo: map(hidden, inner), norm2: norm() })),
    };
    const layer = (x, p, cuSeqlens) => scope(() => {
      const packed = reshape(linear(x, p.qkv.weight, p.qkv.bias), [x.shape[0], 3, heads, hidden / heads]);
      const attended = reshape(attention({ qkv: packed }, { cuSeqlens, alibiSlopes: alibiSlopes(heads) }).output, [x.shape[0], hidden]);
      const middle = layerNorm(add(x, linear(attended, p.out.weight, p.out.bias)), p.norm.weight, p.norm.bias);
      return layerNorm(add(middle, linear(geglu(linear(middle, p.gated)), p.wo.weight, p.wo.bias)), p.norm2.weight, p.norm2.bias);
    });
    return { params, forward: (p, ids, cuSeqlens) => p.layers.reduce((x, own) => layer(x, own, cuSeqlens), embedding(p.embedding, ids)) };
  }
  const idsOf = (device, count, vocab) => tensor(device, Uint32Array.from({ length: count }, (_, i) => (i * 7919) % vocab));
  const evenly = (sequences, length) => Array.from({ length: sequences + 1 }, (_, i) => i * length);
  const weightsOf = (config) => config.layers * (4 * config.width ** 2 + 3 * config.inner * config.width);

  function training() {
    const config = { width: 256, heads: 8, inner: 1024, layers: 6, vocab: 4096 }, [sequences, length] = [8, 64], count = sequences * length;
    return {
      name: `training step, 8.5 M encoder, ${sequences} x ${length} tokens`, unit: 'GFLOP/s', repeats: 7, ceiling: 'arithmetic', tolerance: 1e-2, // each arm has taken another number of steps
      amount: (6 * count * (weightsOf(config) + config.vocab * config.width) + 14 * sequences * length ** 2 * config.width * config.layers) / 1e9,
      prepare(device) {
        const { params, forward } = encoder(device, config), cuSeqlens = evenly(sequences, length);
        const [first, second] = [0, 1].map(() => mapTree(params, ({ shape }) => zeros(device, shape)));
        const labels = tensor(device, Int32Array.from({ length: count }, (_, i) => (i % 7 ? -100 : i % config.vocab))), ids = idsOf(device, count, config.vocab);
        let step = 0;
        return measured(device, { params, first, second, labels, ids }, () => scope(() => {
          const { value, grads } = valueAndGrad((p) => scale(linearCrossEntropy(forward(p, ids, cuSeqlens), p.head, labels).sum, 1 / count))(params);
          const clip = { squaredNorm: squaredNorm(grads), maxNorm: 1 }, [p, g, m, v] = [params, grads, first, second].map(leaves);
          step++;
          p.forEach((_, i) => adamW(p[i], g[i], m[i], v[i], { learningRate: 1e-4, step, clip }));
          return value;
        }));
      },
      peers: async ({ torch }) => (torch ? [{ name: 'torch', run: await torch.prepare({ case: 'training', config, sequences, length }) }] : []),
    };
  }

  function forwardPass() {
    const config = { width: 768, heads: 12, inner: 3072, layers: 12, vocab: 4096 }, [sequences, length] = [8, 128];
    return {
      name: `forward pass, 117 M encoder, ${sequences} x ${length} tokens`, unit: 'GFLOP/s', repeats: 3, ceiling: 'arithmetic', tolerance: 1e-3,
      amount: (2 * sequences * length * weightsOf(config) + 4 * sequences * length ** 2 * config.width * config.layers) / 1e9,
      prepare(device) {
        const { params, forward } = encoder(device, config), ids = idsOf(device, sequences * length, config.vocab);
        return measured(device, { params, ids }, (p) => forward(p.params, p.ids, evenly(sequences, length)));
      },
      peers: async ({ torch }) => (torch ? [{ name: 'torch', run: await torch.prepare({ case: 'forward', config, sequences, length }) }] : []),
    };
  }

  return [
    product(512, 768, 3072, { others: true }), product(512, 768, 768), product(512, 256, 256, { repeats: 25 }), ...attentions,
    decoding('float32', 1), decoding('float16', 1), decoding('int8', 1), decoding('float32', 32), training(), forwardPass(),
  ];
}
