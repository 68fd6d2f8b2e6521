// Grids beyond the 65,535 workgroups that one axis takes. On a software GPU this is some seconds of work.
import { describeWithGpu, gpu } from '../../../test/devices';
import { createWebGpuDevice, crossEntropy, fill, free, layerNorm, ones, read, sum, tensor, zeros, type WebGpuDevice } from '../../index';

describeWithGpu('more than 65,535 workgroups of', () => {
  let device: WebGpuDevice;
  beforeAll(async () => { device = await createWebGpuDevice(gpu!); });
  afterAll(() => device.destroy());

  test('elements', async () => {
    const count = 65_535 * 64 + 70;
    const x = fill(zeros(device, [count]), 3);
    const values = await read(x);
    expect([values[0], values[count - 1], values.findIndex((value) => value !== 3)]).toEqual([3, 3, -1]);
    expect((await read(sum(x)))[0]).toBe(3 * count);
    free(x);
  });

  test('rows', async () => {
    const rows = 65_540;
    const normal = await read(layerNorm(ones(device, [rows, 1]), ones(device, [1]), fill(zeros(device, [1]), 5)));
    expect([normal.length, normal.findIndex((value) => value !== 5)]).toEqual([rows, -1]);
    const { sum: loss, count } = crossEntropy(zeros(device, [rows, 2]), tensor(device, new Int32Array(rows)));
    expect((await read(count))[0]).toBe(rows);
    expect((await read(loss))[0] / rows).toBeCloseTo(Math.log(2), 5);
  });
});
