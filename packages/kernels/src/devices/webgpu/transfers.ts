// Data to and from the GPU: writes take their place among the recorded commands, and a read is the only wait.
import { UnsupportedOpError } from '../../errors';
import { bytesOf, describeSpec, sizeOf, type Data, type DType, type Tensor } from '../../tensor';
import { pooledOf } from './bindings';
import { bufferUsage, mapRead } from './usage';
import type { Commands } from './commands';
import type { Failures } from './failures';
import type { Upload } from './upload';

export interface Transfers {
  write(tensor: Tensor, data: Data): void;
  read(tensor: Tensor): Promise<Data>;
}

interface Parts {
  readonly device: GPUDevice;
  readonly commands: Commands;
  readonly upload: Upload;
  readonly failures: Failures;
}

/** Above this a write goes to the queue directly instead of through a staging chunk. */
const stagedBytes = 1 << 16;

export function createTransfers({ device, commands, upload, failures }: Parts): Transfers {
  return {
    write(tensor, data) {
      const words = toWords(live('write', tensor), data);
      const target = pooledOf(tensor).gpu;
      tensor.buffer.version++;
      if (words.byteLength > stagedBytes) {
        commands.submit(); // the queue keeps its order too: what was recorded comes before this write, what follows after
        device.queue.writeBuffer(target, tensor.offset * 4, words);
      } else if (words.length) {
        const staged = upload.stage(words);
        commands.copy(staged.gpu, staged.offset, target, tensor.offset * 4, words.byteLength);
      }
    },
    async read(tensor) {
      const { dtype } = live('read', tensor);
      const bytes = bytesOf(tensor);
      const staging = device.createBuffer({ label: 'read', size: Math.max(4, bytes), usage: bufferUsage.mapRead | bufferUsage.copyTarget });
      if (bytes) commands.copy(pooledOf(tensor).gpu, tensor.offset * 4, staging, 0, bytes);
      commands.submit();
      const mapped = staging.mapAsync(mapRead);
      try {
        await Promise.all([mapped.catch(() => undefined), failures.settle()]); // a lost GPU fails both, and its own error says more
        await mapped;
        return new arrays[supported(dtype)](staging.getMappedRange().slice(0, bytes));
      } finally {
        staging.destroy();
      }
    },
  };
}

function live(what: string, tensor: Tensor): Tensor {
  if (tensor.buffer.version < 0) throw new ReferenceError(`${what}: expected a live tensor, got one that was freed (${describeSpec(tensor)})`);
  return tensor;
}

const arrays = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array } as const;

function supported(dtype: DType): keyof typeof arrays {
  if (dtype in arrays) return dtype as keyof typeof arrays;
  throw new UnsupportedOpError(dtype, 'webgpu', 'convert to float32 before the upload');
}

function toWords(tensor: Tensor, data: Data): Uint32Array<ArrayBuffer> {
  if (data.length !== sizeOf(tensor)) throw new RangeError(`write: expected ${sizeOf(tensor)} elements for ${describeSpec(tensor)}, got ${data.length}`);
  const type = arrays[supported(tensor.dtype)];
  const { buffer, byteOffset, length } = data instanceof type ? data : type.from(data);
  return new Uint32Array(buffer as ArrayBuffer, byteOffset, length);
}
