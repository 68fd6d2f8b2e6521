export { type WebGpuDevice, type WebGpuOptions, type WebGpuStatistics, createWebGpuDevice } from './device';
export type { AdapterDescription } from './adapter';
export type { OpTime } from './profiler';
