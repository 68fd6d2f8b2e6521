import { createReferenceDevice, createWasmDevice, type Device } from '@genomelm/kernels';

/** The devices that this package's tests run on. */
export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => createReferenceDevice(),
  wasm: () => createWasmDevice(),
};
