// Attention never holds anything of queries by keys, in any device: what devices count, and every array of the host, grows with the tokens alone.
import { alibiSlopes, attention, cacheAppend, createWebGpuDevice, free, mul, pagedAttention, scope, sum, tensor, valueAndGrad, zeros, type Device, type Tensor } from '../src';
import { createGpuJsDevice } from '../src/devices/gpujs';
import { testNumbers } from '../src/testing';
import { devices, gpu } from './devices';

const [heads, headDim] = [2, 4];
const slopes = alibiSlopes(heads);

const passes: Record<string, (qkv: Tensor, tokens: number) => void> = {
  forward: (qkv, tokens) => void attention({ qkv }, { cuSeqlens: [0, tokens], alibiSlopes: slopes }),
  backward: (qkv, tokens) => void valueAndGrad((p: Tensor) => { const { output } = attention({ qkv: p }, { cuSeqlens: [0, tokens], causal: true, alibiSlopes: slopes }); return sum(mul(output, output)); })(qkv),
  'decoding, keys side by side': ({ device }, tokens) => {
    const [query, keys] = [zeros(device, [1, heads, headDim]), zeros(device, [tokens, heads, headDim])];
    attention({ query, key: keys, value: keys }, { cuSeqlens: [0, 1], cuSeqlensKey: [0, tokens], alibiSlopes: slopes });
  },
  'decoding, keys in pages': ({ device }, tokens) => {
    const [query, cache] = [zeros(device, [1, heads, headDim]), zeros(device, [tokens, heads, headDim])];
    cacheAppend(cache, query, [tokens - 1]);
    pagedAttention({ query, keyCache: cache, valueCache: cache }, { cuSeqlens: [0, 1], contextLengths: [tokens], blockTable: Array.from({ length: tokens / 16 }, (_, i) => i), alibiSlopes: slopes });
  },
};

const checked: Record<string, { readonly create: () => Promise<Device>; readonly passes: readonly string[] }> = {
  ...Object.fromEntries(Object.entries(devices).map(([kind, create]) => [kind, { create, passes: Object.keys(passes) }])),
  gpujs: { create: async () => createGpuJsDevice({ mode: 'cpu' }), passes: ['forward', 'decoding, keys side by side'] },
  ...(gpu && { 'webgpu, tensors beyond one binding': { create: () => createWebGpuDevice(gpu!, { limits: { maxBindingBytes: 16384 } }), passes: Object.keys(passes) } }),
};

/** Runs `f`, and says how many elements the longest array had that it made on the host. */
function longestArrayOf(f: () => void): number {
  const names = ['Float32Array', 'Float64Array', 'Int32Array', 'Uint32Array', 'Array'] as const;
  const own = names.map((name) => globalThis[name] as unknown as new (...values: unknown[]) => ArrayLike<unknown>);
  let longest = 0;
  const watched = (made: ArrayLike<unknown>) => ((longest = Math.max(longest, made.length)), made);
  names.forEach((name, i) => Object.assign(globalThis, { [name]: new Proxy(own[i], { construct: (target, values, asked) => watched(Reflect.construct(target, values, asked) as ArrayLike<unknown>) }) }));
  try {
    f();
  } finally {
    names.forEach((name, i) => Object.assign(globalThis, { [name]: own[i] }));
  }
  return longest;
}

test('an array of queries by keys would be noticed', () => {
  expect([() => void new Float64Array(512 * 512), () => void Array.from({ length: 512 * 512 })].map(longestArrayOf)).toEqual([512 * 512, 512 * 512]);
});

describe.each(Object.entries(checked))('%s', (_kind, { create, passes: named }) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  test.each(named)('%s: memory grows with the tokens, not with their square', (name) => {
    const [short, long] = [256, 512].map((tokens) => {
      const qkv = tensor(device, testNumbers(1, tokens * 3 * heads * headDim), [tokens, 3, heads, headDim]);
      const before = (device.memory.peak = device.memory.live);
      const longest = longestArrayOf(() => scope(() => passes[name](qkv, tokens)));
      const extra = device.memory.peak - before;
      free(qkv);
      return { extra, longest };
    });
    // A matrix of 512 by 512 would be a megabyte of each head, in the device or in one array; nothing takes more than twice as much for twice the tokens.
    expect(long.extra).toBeLessThanOrEqual(2.1 * short.extra);
    expect(long.longest).toBeLessThanOrEqual(2.1 * short.longest);
    expect([long.extra, 4 * long.longest].filter((bytes) => bytes > 5 * 2 ** 18)).toEqual([]); // 1.25 MiB
  });
});
