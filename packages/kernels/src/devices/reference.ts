import { countMemory, type Device, type DeviceBuffer } from '../device';
import { hostDevice } from './hostDevice';
import { bytesPerElement, sizeOf, storageTypes, type Data, type DType, type Tensor } from '../tensor';

interface ReferenceBuffer extends DeviceBuffer {
  data?: Data;
}

/** float32 is computed in float64; 8 and 16 bits are stored as they are on every device. */
const storage = (dtype: DType, length: number): Data => (dtype === 'float32' ? new Float64Array(length) : new storageTypes[dtype](length));

/** Runs every op's definition, in float64: slow, and what the other devices are tested against. */
export function createReferenceDevice(): Device {
  const { memory, allocated, freed } = countMemory();
  // An allocation does not know its dtype; it becomes an array when a tensor first looks at it.
  const view = ({ buffer, dtype, shape, offset }: Tensor): Data => {
    const held = buffer as ReferenceBuffer;
    held.data ??= storage(dtype, held.byteLength / bytesPerElement(dtype));
    return held.data.subarray(offset, offset + sizeOf({ dtype, shape }));
  };
  return hostDevice({
    kind: 'reference',
    description: 'reference: float64, one thread',
    memory,
    limits: { maxBufferBytes: 2 ** 32, maxBindingBytes: 2 ** 32, workgroupBytes: 0, threads: 1, workPerDispatch: Infinity },
    view,
    allocate(byteLength) {
      if (byteLength > 2 ** 32) throw new RangeError(`allocate: expected at most ${2 ** 32} bytes in one tensor, got ${byteLength}; split it by rows`);
      allocated(byteLength);
      return { byteLength, version: 0 };
    },
    free(buffer) {
      if (freed(buffer)) delete (buffer as ReferenceBuffer).data;
    },
    run: (op, inputs, outputs, attributes) => op.reference(inputs.map(view), outputs.map(view), attributes, [...inputs, ...outputs]),
    async destroy() {},
  });
}
