import { createReferenceDevice, type Device } from '../src';

/** Every device that this package has, as its own tests make it. */
export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => createReferenceDevice(),
};
