import * as kernels from '@genomelm/kernels';
import type { Device } from '@genomelm/kernels';

type Create = (kind: string, options?: object) => Promise<Device>;
const { createDevice } = kernels as unknown as { createDevice?: Create };

/** The devices that this package's tests run on. */
export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => kernels.createReferenceDevice(),
  ...(createDevice ? { wasm: () => createDevice('wasm') } : {}),
};
