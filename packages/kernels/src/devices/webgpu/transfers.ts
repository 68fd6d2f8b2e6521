// Data to and from the GPU: writes take their place among the recorded commands, and a read is the only wait.
import { bytesOf, bytesPerElement, checkData, checkLive, describeSpec, storageTypes, type Data, type Tensor } from '../../tensor';
import { paddedBytes, pooledOf } from './bindings';
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
      checkLive('write', [tensor]);
      const words = toWords(tensor, data);
      const target = pooledOf(tensor).gpu;
      const start = tensor.offset * bytesPerElement(tensor.dtype);
      tensor.buffer.version++;
      if (words.byteLength > stagedBytes) {
        commands.submit(); // the queue keeps its order too: what was recorded comes before this write, what follows after
        device.queue.writeBuffer(target, start, words);
      } else if (words.length) {
        const staged = upload.stage(words);
        commands.copy(staged.gpu, staged.offset, target, start, words.byteLength);
      }
    },
    async read(tensor) {
      checkLive('read', [tensor]);
      const { dtype } = tensor;
      const [start, bytes] = [tensor.offset * bytesPerElement(dtype), bytesOf(tensor)];
      const lead = start % 4, padded = Math.ceil((lead + bytes) / 4) * 4; // whole words are copied; 8- and 16-bit views may begin within one
      const staging = device.createBuffer({ label: 'read', size: Math.max(4, padded), usage: bufferUsage.mapRead | bufferUsage.copyTarget });
      if (bytes) commands.copy(pooledOf(tensor).gpu, start - lead, staging, 0, padded);
      commands.submit();
      const mapped = staging.mapAsync(mapRead);
      try {
        await Promise.all([mapped.catch(() => undefined), failures.settle()]); // a lost GPU fails both, and its own error says more
        await mapped;
        return new storageTypes[dtype](staging.getMappedRange().slice(lead, lead + bytes));
      } finally {
        staging.destroy();
      }
    },
  };
}

/** The bytes of the data as whole words: WebGPU copies no others. */
function toWords(tensor: Tensor, data: Data): Uint32Array<ArrayBuffer> {
  checkData(tensor, data);
  const type = storageTypes[tensor.dtype];
  const { buffer, byteOffset, byteLength } = data instanceof type ? data : type.from(data);
  const start = tensor.offset * bytesPerElement(tensor.dtype);
  if (start % 4 || (byteLength % 4 && start + byteLength < tensor.buffer.byteLength)) throw new RangeError(`write: expected a view of whole 32-bit words, or one that ends where its buffer ends, got ${describeSpec(tensor)} from element ${tensor.offset} on; write the whole tensor`);
  if (byteLength % 4 === 0 && byteOffset % 4 === 0) return new Uint32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
  const padded = new Uint8Array(paddedBytes(tensor));
  padded.set(new Uint8Array(buffer, byteOffset, byteLength));
  return new Uint32Array(padded.buffer);
}
