// GPU buffers by size. Commands run in the order they are recorded, so a freed buffer serves the next tensor at once, without waiting for the GPU.
import { bufferUsage } from './usage';
import type { Failures } from './failures';

/** A buffer with a number of its own: older buffers have lower ones. */
export interface PooledBuffer {
  readonly gpu: GPUBuffer;
  readonly id: number;
  /** Bytes of the GPU's memory, at least what was asked for. */
  readonly size: number;
  /** The op that asked for it last, for messages: an error of the GPU comes when the op is known, which an allocation alone does not tell. */
  owner: string;
}

interface Idle {
  readonly buffer: PooledBuffer;
  readonly since: number;
}

export interface BufferPool {
  /** A buffer of at least `bytes`, with undefined contents. */
  take(bytes: number, label: string): PooledBuffer;
  give(buffer: PooledBuffer): void;
  /** One more submission is out: destroys what lay idle for `maxIdle` of them, and says whether anything went. */
  age(): boolean;
  readonly reserved: () => number;
  destroy(): void;
}

/** Sizes come in steps of an eighth of their power of two, and of 256 bytes at least: at most 12.5 % is wasted. */
export function bucketOf(bytes: number): number {
  const step = 2 ** Math.max(8, Math.floor(Math.log2(Math.max(1, bytes))) - 3);
  return Math.max(1, Math.ceil(bytes / step)) * step;
}

export function createBufferPool(device: GPUDevice, failures: Failures, maxBytes: number, { maxIdle = 64 }: { readonly maxIdle?: number } = {}): BufferPool {
  const idle = new Map<number, Idle[]>();
  const all = new Map<number, PooledBuffer>();
  let [nextId, submissions, reserved] = [0, 0, 0];

  const create = (size: number, label: string): PooledBuffer => {
    const describe = (message: string) => `${buffer.owner}: expected ${size} bytes of GPU memory, got "${message}"; use a smaller batch, or checkpoint()`;
    const gpu = failures.check('out-of-memory', describe, () => device.createBuffer({ label: `${label} #${nextId}`, size, usage: bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget }));
    const buffer: PooledBuffer = { gpu, id: nextId++, size, owner: label };
    all.set(buffer.id, buffer);
    reserved += size;
    return buffer;
  };
  // The oldest first, not the last freed: equal steps then get equal buffers, and 90 % instead of 12 % of bind groups are found again.
  const oldest = (list: Idle[]): PooledBuffer => {
    let best = 0;
    for (let i = 1; i < list.length; i++) if (list[i].buffer.id < list[best].buffer.id) best = i;
    return list.splice(best, 1)[0].buffer;
  };

  return {
    take(bytes, label) {
      const exact = bucketOf(bytes);
      // With batches of varying size the exact bucket alone kept five times of what was in use; one up to twice as large will do.
      for (let size = exact; size <= 2 * exact; size = bucketOf(size + 1)) {
        const list = idle.get(Math.min(size, maxBytes));
        if (list?.length) return oldest(list);
      }
      return create(Math.min(exact, maxBytes), label);
    },
    give(buffer) {
      const list = idle.get(buffer.size);
      if (list) list.push({ buffer, since: submissions });
      else idle.set(buffer.size, [{ buffer, since: submissions }]);
    },
    age() {
      submissions++;
      const before = all.size;
      for (const [size, list] of idle) {
        const kept = list.filter(({ since }) => submissions - since <= maxIdle);
        if (kept.length === list.length) continue;
        for (const { buffer, since } of list) {
          if (submissions - since <= maxIdle) continue;
          buffer.gpu.destroy();
          all.delete(buffer.id);
          reserved -= size;
        }
        if (kept.length) idle.set(size, kept);
        else idle.delete(size);
      }
      return all.size < before;
    },
    reserved: () => reserved,
    destroy() {
      for (const { gpu } of all.values()) gpu.destroy();
      reserved = 0;
    },
  };
}
