const page = 65536;
/** Nothing is stored below: kernels read zeros at address 0, and the module has no data of its own. */
const heapStart = page;
/** A cache line, so that two threads never write to one. */
const alignment = 64;

/** Largest sizes of a shared memory to ask for, in bytes: some browsers reserve all of it at once and refuse. */
const maxima = [4, 2, 1].map((gibibytes) => gibibytes * 2 ** 30);

export interface Heap {
  readonly memory: WebAssembly.Memory;
  readonly maxBytes: number;
  /** @throws RangeError when the memory cannot grow further. */
  allocate(bytes: number): number;
  free(address: number, bytes: number): void;
}

interface Hole {
  at: number;
  size: number;
}

function createMemory(shared: boolean): { memory: WebAssembly.Memory; maxBytes: number } {
  let cause: unknown;
  for (const maxBytes of maxima) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 2 * heapStart / page, maximum: maxBytes / page, shared }), maxBytes };
    } catch (error) {
      cause = error;
    }
  }
  throw new RangeError('wasm: expected room for a memory of at most 1 GiB, got none; close other pages or devices', { cause });
}

/** First fit over one growing address space; neighbouring holes are merged. A step of training leaves 2-4 % unused. */
export function createHeap(shared: boolean): Heap {
  const { memory, maxBytes } = createMemory(shared);
  const holes: Hole[] = [{ at: heapStart, size: memory.buffer.byteLength - heapStart }];
  const round = (bytes: number) => Math.max(alignment, Math.ceil(bytes / alignment) * alignment);

  const release = (at: number, size: number): Hole => {
    let index = holes.findIndex((hole) => hole.at > at);
    if (index < 0) index = holes.length;
    const [before, after] = [holes[index - 1], holes[index]];
    if (after && at + size === after.at) {
      after.at = at;
      after.size += size;
      if (!before || before.at + before.size !== at) return after;
      holes.splice(index, 1);
      before.size += after.size;
      return before;
    }
    if (before && before.at + before.size === at) {
      before.size += size;
      return before;
    }
    const hole = { at, size };
    holes.splice(index, 0, hole);
    return hole;
  };

  /** Grows by what is missing at the end, and by a sixteenth of the whole, so that growing stays rare. */
  const grow = (size: number): Hole => {
    const end = memory.buffer.byteLength;
    const last = holes.at(-1);
    const missing = size - (last && last.at + last.size === end ? last.size : 0);
    for (const extra of [end / 16, 0]) {
      const bytes = Math.ceil((missing + extra) / page) * page;
      if (end + bytes > maxBytes) continue;
      try {
        memory.grow(bytes / page);
        return release(end, bytes);
      } catch {
        // The machine refuses what the maximum allows: try less, then say so.
      }
    }
    const free = holes.reduce((sum, hole) => sum + hole.size, 0);
    throw new RangeError(`wasm: expected room for ${size} bytes, got ${free} free of ${end}, of at most ${maxBytes}; free tensors, use scope() or checkpoint(), or a smaller batch`);
  };

  return {
    memory,
    maxBytes: maxBytes - heapStart,
    allocate(bytes) {
      const size = round(bytes);
      const hole = holes.find((candidate) => candidate.size >= size) ?? grow(size);
      const { at } = hole;
      hole.at += size;
      hole.size -= size;
      if (hole.size === 0) holes.splice(holes.indexOf(hole), 1);
      return at;
    },
    free: (address, bytes) => void release(address, round(bytes)),
  };
}
