import { describeWithGpu, gpu } from '../test/devices';
import { registerGpuJs } from './devices/gpujs';
import { createDevice, read, scale, tensor, type PickedDevice } from './index';

async function facts(device: Promise<PickedDevice>): Promise<string[]> {
  const { kind, reason, description } = await device;
  await (await device).destroy();
  return [kind, reason, description];
}

test('auto is wasm in Node, and says why', async () => {
  const [kind, reason, description] = await facts(createDevice('auto', { threads: 2 }));
  expect([kind, reason]).toEqual(['wasm', 'no GPU was given, and there is no navigator.gpu']);
  expect(description).toContain('2 threads');
});

describeWithGpu('with a GPU', () => {
  test('auto takes it', async () => {
    expect((await facts(createDevice('auto', { gpu: gpu! }))).slice(0, 2)).toEqual(['webgpu', expect.stringMatching(/^a GPU was given(, but its adapter is a CPU in place of a GPU: .+)?$/)]);
  });

  test('webgpu takes it', async () => {
    expect((await facts(createDevice('webgpu', { gpu: gpu! }))).slice(0, 2)).toEqual(['webgpu', expect.stringMatching(/^asked for(, but its adapter is a CPU in place of a GPU: .+)?$/)]);
  });
});

test('checkFinite names the op that overflows', async () => {
  const device = await createDevice('wasm', { threads: 1, checkFinite: true });
  expect(device.reason).toBe('asked for');
  await expect(read(scale(tensor(device, [1e30]), 1e30))).rejects.toThrow('scale: expected a value of finite numbers, got NaN or infinity in float32 [1]');
  await device.destroy();
});

test('a kind asked for is made, or an error: nothing takes its place', async () => {
  expect((await facts(createDevice('reference')))[0]).toBe('reference');
  expect((await facts(createDevice('wasm', { threads: 1 })))[0]).toBe('wasm');
  await expect(createDevice('webgpu')).rejects.toThrow('createDevice: expected a GPU for webgpu, got none; use a browser with WebGPU, or in Node pass { gpu: create([]) } from the npm package webgpu');
  await expect(createDevice('cuda' as 'auto')).rejects.toThrow('createDevice: expected auto, reference, wasm, webgpu or gpujs, got cuda');
});

test('gpujs is made only once it is registered', async () => {
  await expect(createDevice('gpujs')).rejects.toThrow('createDevice: expected gpujs to be registered, got no such device; install gpu.js and call registerGpuJs() of @genomelm/kernels/gpujs first');
  registerGpuJs({ mode: 'cpu' });
  expect(await facts(createDevice('gpujs'))).toEqual(['gpujs', 'asked for', 'gpujs: gpu.js on the CPU']);
  expect((await facts(createDevice('auto', { threads: 1 })))[0]).toBe('wasm');
});

describeWithGpu('with navigator.gpu, as in a browser', () => {
  const withGpu = async (found: unknown): Promise<string[]> => {
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: found }, configurable: true });
    try {
      return await facts(createDevice('auto', { threads: 1 }));
    } finally {
      delete (globalThis as { navigator?: unknown }).navigator;
    }
  };

  test('auto passes over a CPU that plays the GPU', async () => {
    const adapter = (await gpu!.requestAdapter())!;
    const [kind, reason] = await withGpu(gpu!);
    if (/swiftshader|software/.test(adapter.info.architecture)) expect([kind, reason]).toEqual(['wasm', expect.stringContaining('navigator.gpu has only a CPU in place of a GPU')]);
    else expect([kind, reason]).toEqual(['webgpu', 'navigator.gpu has an adapter']);
  });

  test('the reason is a whole sentence also where the browser names no adapter, as Firefox', async () => {
    const adapter = (await gpu!.requestAdapter())!;
    const nameless = { info: { vendor: '', architecture: '', description: '', isFallbackAdapter: true }, limits: adapter.limits, features: adapter.features, requestDevice: adapter.requestDevice.bind(adapter) };
    expect((await withGpu({ requestAdapter: async () => nameless }))[1]).toBe('navigator.gpu has only a CPU in place of a GPU: one that the browser does not name');
  });

  test('auto says what went wrong with the GPU', async () => {
    expect((await withGpu({ requestAdapter: async () => null })).slice(0, 2)).toEqual(['wasm', expect.stringContaining('navigator.gpu does not work here (createWebGpuDevice: expected a GPU adapter, got none')]);
  });
});
