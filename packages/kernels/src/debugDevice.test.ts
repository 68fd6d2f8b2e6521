import { devices } from '../test/devices';
import { add, debugDevice, fill, free, linear, read, scale, scope, sum, tensor, valueAndGrad, zeros, type DebugDevice, type Tensor } from './index';

describe.each(Object.entries(devices))('on %s', (_kind, create) => {
  let device: DebugDevice;
  beforeEach(async () => { device = debugDevice(await create(), { checkFinite: true }); });
  afterEach(() => device.destroy());

  test('the first op that makes a NaN or an infinity is named by the next read, once', async () => {
    const x = tensor(device, [1e30, -2, 3]);
    const good = scale(x, 2);
    expect([...(await read(good))]).toEqual([...(await read(add(x, x)))]);
    const result = scope<Tensor>(() => sum(add(linear(tensor(device, [NaN, 1], [1, 2]), tensor(device, [1, 1], [1, 2])), zeros(device, [1, 1]))));
    await expect(read(result)).rejects.toThrow('linear: expected a value of finite numbers, got NaN or infinity in float32 [1, 1]; it is the first such op since the last read');
    expect([...(await read(result))]).toEqual([NaN]);
    fill(x, Infinity);
    await expect(read(good)).rejects.toThrow('fill: expected a value of finite numbers, got NaN or infinity in float32 [3]');
    free([x, good, result]);
    expect(device.leaks().map(({ op }) => op)).toEqual(['add']);
  });

  test('nothing is left of the checks, and warming up checks nothing', async () => {
    const x = tensor(device, [1, 2]);
    const { live } = device.memory;
    await device.warmup(() => scope(() => void scale(x, Infinity)));
    const y = scope(() => scale(scale(x, 3), 2));
    await read(y);
    free(y);
    expect(device.memory.live).toBe(live);
  });
});

test('what is allocated outside a scope and never freed is reported with its op, shape and place', async () => {
  const device = debugDevice(await devices.wasm());
  const p = tensor(device, [1, 2, 3, 4], [2, 2]);
  const kept = scope(() => scale(scale(p, 2), 3));
  scope(() => {
    add(p, p);
    expect(device.leaks()).toHaveLength(2);
  });
  const { value, grads } = valueAndGrad((w: Tensor) => sum(linear(w, w)))(p);
  expect(device.leaks().map(({ op, tensor: spec, bytes }) => [op, spec, bytes])).toEqual([
    ['tensor', 'float32 [2, 2]', 16], ['scale', 'float32 [2, 2]', 16], ['sum', 'float32 []', 4], [expect.any(String), 'float32 [2, 2]', 16],
  ]);
  expect(device.leaks()[1].stack).toContain('debugDevice.test');
  free([p, kept, value, grads]);
  expect([device.leaks(), device.memory.live]).toEqual([[], 0]);
  await device.destroy();
});
