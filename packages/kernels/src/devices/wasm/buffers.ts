import { countMemory, type DeviceBuffer, type MemoryUse } from '../../device';
import { DeviceLostError } from '../../errors';
import { bytesPerElement, sizeOf, storageTypes, type Data, type Tensor } from '../../tensor';
import type { HostArray } from '../../op';
import type { Heap } from './memory';

export interface WasmBuffer extends DeviceBuffer {
  readonly address: number;
  /** It lies in the room for arrays of the host, not in the heap. */
  readonly staged?: boolean;
  /** It lies in memory that a recording keeps. */
  readonly reserve?: Reserve;
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
  /** Adds to `made` new buffers with these bytes, for one call of a kernel. */
  copies(arrays: readonly HostArray[], made: WasmBuffer[]): void;
  /** While `f` runs, what is allocated comes from `reserve`, or else from the heap, and goes back there. */
  within<T>(reserve: Reserve | undefined, f: () => T): T;
  close(): void;
}

/**
 * Room for arrays of the host on their way to kernels. Freed memory is taken again at once, as kernels run in order; only what the host writes must not lie in memory that kernels in line still use.
 * Here it does not, until the room is used up and begins anew when all of them are done. Larger arrays wait for that at once.
 */
const stageBytes = 2 ** 18;
/** To whole cache lines. */
const aligned = (bytes: number): number => 64 * Math.ceil(bytes / 64);

/** Memory that a recording keeps: what is freed is taken again for the same size, and goes back to the heap when the recording ends. */
export interface Reserve {
  allocate(bytes: number): number;
  free(at: number, bytes: number): void;
  end(): void;
}

export function createReserve(heap: Pick<Heap, 'allocate' | 'free'>): Reserve {
  const blocks: (readonly [at: number, bytes: number])[] = [], idle = new Map<number, number[]>();
  return {
    allocate(bytes) {
      const again = idle.get(bytes)?.pop();
      if (again !== undefined) return again;
      const at = heap.allocate(bytes);
      blocks.push([at, bytes]);
      return at;
    },
    free: (at, bytes) => void (idle.get(bytes)?.push(at) ?? idle.set(bytes, [at])),
    end: () => blocks.splice(0).forEach(([at, bytes]) => heap.free(at, bytes)),
  };
}

/** @param finish - returns when all kernels in line are done */
export function createBuffers({ memory, allocate, free }: Heap, finish: () => void): Buffers {
  const { memory: counted, allocated, freed } = countMemory(() => memory.buffer.byteLength);
  let [closed, stage, staged, reserve]: [boolean, number | undefined, number, Reserve | undefined] = [false, undefined, 0, undefined];
  const checkOpen = (): void => {
    if (closed) throw new DeviceLostError('wasm: expected a device in use, got one that was destroyed; read what is wanted before destroy(), or create a new device');
  };
  const address = ({ buffer, dtype, offset }: Tensor): number => {
    checkOpen();
    return (buffer as WasmBuffer).address + offset * bytesPerElement(dtype);
  };
  const take = (byteLength: number): WasmBuffer => {
    checkOpen();
    const at = (reserve ?? { allocate }).allocate(byteLength);
    allocated(byteLength);
    return { byteLength, version: 0, address: at, ...(reserve && { reserve }) };
  };
  const stageFor = (byteLength: number): WasmBuffer => {
    const at = (stage ??= allocate(stageBytes)) + staged;
    staged += aligned(byteLength);
    allocated(byteLength);
    return { byteLength, version: 0, address: at, staged: true };
  };
  return {
    memory: counted,
    allocate: take,
    free(buffer) {
      const { address: at, staged: inStage, reserve: own } = buffer as WasmBuffer;
      if (freed(buffer) && !inStage) (own ?? { free }).free(at, buffer.byteLength);
    },
    address,
    view(tensor) {
      finish();
      return new storageTypes[tensor.dtype](memory.buffer, address(tensor), sizeOf(tensor)) as Data;
    },
    copies(arrays, made) {
      const room = arrays.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0), fits = room <= stageBytes;
      if (!fits || stage === undefined || staged + room > stageBytes) {
        finish(); // kernels in line may still use what the heap gives now
        staged = 0;
      }
      for (const { buffer, byteOffset, byteLength } of arrays) {
        const copy = fits ? stageFor(byteLength) : take(byteLength);
        made.push(copy);
        new Uint8Array(memory.buffer, copy.address, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
      }
    },
    within(next, f) {
      const before = reserve;
      reserve = next;
      try {
        return f();
      } finally {
        reserve = before;
      }
    },
    close: () => void (closed = true),
  };
}
