// Threads may wait only off the page's own thread, so the wasm device has several of them only here.
import { createWasmDevice, createWebGpuDevice } from '@genomelm/kernels';
import { checkDevice } from './check';

const devices = {
  'wasm, 2 threads': () => createWasmDevice({ threads: 2 }),
  'wasm, relaxed SIMD': () => createWasmDevice({ threads: 2, relaxedSimd: true }),
  webgpu: async () => {
    if (!navigator.gpu) throw new Error('this browser has no WebGPU');
    return createWebGpuDevice(navigator.gpu);
  },
};

onmessage = async ({ data: name }: MessageEvent<keyof typeof devices>) => postMessage(await checkDevice(devices[name]));
