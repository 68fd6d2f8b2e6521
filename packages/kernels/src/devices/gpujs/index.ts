// The entry point ./gpujs: what needs gpu.js stays behind it.
import { state } from '../../state';
import { createGpuJsDevice, type GpuJsOptions } from './device';

export { type GpuJsDevice, type GpuJsOptions, type OpUse, createGpuJsDevice } from './device';
export type { GpuJsMode } from './launcher';

/** From now on `createDevice('gpujs')` makes this device. */
export const registerGpuJs = (options: GpuJsOptions = {}): void => void state.makers.set('gpujs', () => createGpuJsDevice(options));
