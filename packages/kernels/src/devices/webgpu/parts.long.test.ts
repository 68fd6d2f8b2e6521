// One op in several dispatches, and dispatches that bind parts of a tensor. Rows of a tensor larger than one binding: device.test.ts; every op, by its limits: pieces.long.test.ts.
import { describeWithGpu, gpu } from '../../../test/devices';
import { add, alibiSlopes, attention, createReferenceDevice, createWebGpuDevice, matmul, mul, read, slice, sum, tensor, valueAndGrad, type Device, type Tensor } from '../../index';
import { allClose, testNumbers } from '../../testing';

describeWithGpu('a device with limits of its own', () => {
  test('plans split what is too long for one dispatch, and the results stay the same to the bit', async () => {
    const run = async (workPerDispatch: number) => {
      const device = await createWebGpuDevice(gpu!, { limits: { workPerDispatch } });
      const a = tensor(device, testNumbers(1, 100 * 9), [100, 9]);
      const qkv = tensor(device, testNumbers(2, 70 * 3 * 2 * 8), [70, 3, 2, 8]);
      const { value, grads } = valueAndGrad((p: { a: Tensor; qkv: Tensor }) => add(sum(matmul(p.a, p.a, { transposeB: true })), sum(attention({ qkv: p.qkv }, { cuSeqlens: [0, 40, 70], alibiSlopes: alibiSlopes(2), windowSize: [30, 40] }).output)))({ a, qkv });
      const values = (await Promise.all([value, grads.a, grads.qkv].map(read))).map((data) => [...data]);
      const { dispatches, submissions } = device.statistics();
      await device.destroy();
      return { values, dispatches, submissions };
    };
    const [whole, split] = [await run(1e9), await run(2e4)];
    expect(split.dispatches).toBeGreaterThan(whole.dispatches + 5);
    expect(split.submissions).toBeGreaterThan(whole.submissions + 5);
    expect(split.values).toEqual(whole.values);
  });

  test('where rows need their neighbours, a dispatch binds the parts that it needs', async () => {
    const device = await createWebGpuDevice(gpu!, { limits: { maxBindingBytes: 2048 } });
    const options = { cuSeqlens: [0, 70], causal: true, alibiSlopes: [0.5] };
    const run = (on: Device) => {
      const qkv = tensor(on, testNumbers(1, 70 * 3 * 8), [70, 3, 1, 8]);
      const { value, grads } = valueAndGrad((p: Tensor) => sum(mul(attention({ qkv: p }, options).output, slice(tensor(on, testNumbers(2, 80 * 8), [80, 1, 8]), 10))))(qkv);
      return Promise.all([value, grads].map(read));
    };
    const [actual, expected] = [await run(device), await run(createReferenceDevice())];
    expected.forEach((values, i) => allClose(actual[i], values, 1e-5));
    await device.destroy();
  });
});
