import { countMemory, type DeviceBuffer, type MemoryUse } from '../../device';
import { DeviceLostError } from '../../errors';
import { bytesPerElement, sizeOf, storageTypes, type Data, type Tensor } from '../../tensor';
import type { Heap } from './memory';

export interface WasmBuffer extends DeviceBuffer {
  readonly address: number;
}

/** The device's tensors in one heap: counted, and never used once freed. */
export interface Buffers {
  readonly memory: MemoryUse;
  allocate(byteLength: number): WasmBuffer;
  free(buffer: DeviceBuffer): void;
  /** Where the tensor's first element lies. */
  address(tensor: Tensor): number;
  /** The tensor's elements. A view lives for one call: growing an unshared memory detaches it, growing a shared one leaves it too short. */
  view(tensor: Tensor): Data;
  /** A new buffer with these bytes. */
  copy(array: Int32Array | Float32Array): WasmBuffer;
  close(): void;
}

/** @param finish - called before the bytes are looked at */
export function createBuffers({ memory, allocate, free }: Heap, finish: () => void): Buffers {
  const { memory: counted, allocated, freed } = countMemory(() => memory.buffer.byteLength);
  let closed = false;
  const address = ({ buffer, dtype, offset }: Tensor): number => (buffer as WasmBuffer).address + offset * bytesPerElement(dtype);
  const take = (byteLength: number): WasmBuffer => {
    if (closed) throw new DeviceLostError('wasm: expected a device in use, got one that was destroyed');
    const at = allocate(byteLength);
    allocated(byteLength);
    return { byteLength, version: 0, address: at };
  };
  return {
    memory: counted,
    allocate: take,
    free(buffer) {
      if (freed(buffer)) free((buffer as WasmBuffer).address, buffer.byteLength);
    },
    address,
    view(tensor) {
      finish();
      return new storageTypes[tensor.dtype](memory.buffer, address(tensor), sizeOf(tensor)) as Data;
    },
    copy(array) {
      const buffer = take(array.byteLength);
      new Uint8Array(memory.buffer, buffer.address, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return buffer;
    },
    close: () => void (closed = true),
  };
}
