import { countMemory, type Device, type DeviceBuffer } from '../device';
import { bytesPerElement, checkData, sizeOf, storageTypes, type Data, type DType, type Tensor } from '../tensor';

interface ReferenceBuffer extends DeviceBuffer {
  data?: Data;
}

/** float32 is computed in float64; 8 and 16 bits are stored as they are on every device. */
const storage = (dtype: DType, length: number): Data => (dtype === 'float32' ? new Float64Array(length) : new storageTypes[dtype](length));

/** Runs every op's definition, in float64: slow, and what the other devices are tested against. */
export function createReferenceDevice(): Device {
  const { memory, count } = countMemory();
  // An allocation does not know its dtype; it becomes an array when a tensor first looks at it.
  const view = ({ buffer, dtype, shape, offset }: Tensor): Data => {
    const held = buffer as ReferenceBuffer;
    held.data ??= storage(dtype, held.byteLength / bytesPerElement(dtype));
    return held.data.subarray(offset, offset + sizeOf({ dtype, shape }));
  };
  let dry = false;
  return {
    kind: 'reference',
    description: 'reference: float64, one thread',
    memory,
    limits: { maxBufferBytes: 2 ** 32, maxBindingBytes: 2 ** 32, workgroupBytes: 0, threads: 1, workPerDispatch: Infinity },
    allocate(byteLength) {
      count(byteLength);
      memory.reserved = memory.live;
      return { byteLength, version: 0 };
    },
    free(buffer) {
      if (buffer.version < 0) return;
      count(-buffer.byteLength);
      memory.reserved = memory.live;
      buffer.version = -1;
      delete (buffer as ReferenceBuffer).data;
    },
    write(tensor, data) {
      if (dry) return;
      checkData(tensor, data);
      view(tensor).set(data);
      tensor.buffer.version++;
    },
    run(op, inputs, outputs, attributes) {
      if (dry) return;
      op.reference(inputs.map(view), outputs.map(view), attributes, [...inputs, ...outputs]);
      for (const index of op.mutates ?? []) inputs[index].buffer.version++;
    },
    async read(tensor) {
      if (tensor.buffer.version < 0) throw new ReferenceError('read: expected a live tensor, got one that was freed');
      return view(tensor).slice();
    },
    async warmup(f) {
      dry = true;
      try {
        f();
      } finally {
        dry = false;
      }
    },
    async destroy() {},
  };
}
