/** 16-bit numbers that a training works on: in memory, or in a temporary file for what exceeds it (Node, Deno and Bun). */
export interface ScratchFile {
  append(numbers: Uint16Array): void;
  /** Reads into `target` from number `position` on. @returns how many were read */
  read(target: Uint16Array, position: number): number;
  write(numbers: Uint16Array, position: number): void;
  /** Removes it. */
  close(): void;
}

/** In memory; `numbers` are the first `length` of them. */
export function createScratchMemory(): ScratchFile & { numbers(length: number): Uint16Array } {
  let numbers = new Uint16Array(2 ** 16), length = 0;
  return {
    append(block) {
      if (length + block.length > numbers.length) {
        const larger = new Uint16Array(Math.max(2 * numbers.length, length + block.length));
        larger.set(numbers);
        numbers = larger;
      }
      numbers.set(block, length);
      length += block.length;
    },
    read(target, position) {
      const found = numbers.subarray(position, Math.min(length, position + target.length));
      target.set(found);
      return found.length;
    },
    write(block, position) { numbers.set(block, position); },
    numbers: (count) => numbers.subarray(0, count),
    close() { numbers = new Uint16Array(0); },
  };
}

/** @throws Error where there are no files, the directory does not exist, or, later, the disk is full */
export function createScratchFile(directory?: string): ScratchFile {
  const node = typeof process === 'undefined' ? undefined : process.getBuiltinModule;
  if (!node) throw new Error('trainBpe: expected a runtime with files for maxMemory, such as Node, got none; leave maxMemory out to train in memory');
  const fs = node('node:fs'), path = node('node:path'), os = node('node:os');
  const explain = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw new Error(`trainBpe: expected scratch space of 2 bytes a letter in ${directory ?? os.tmpdir()}, got ${(cause as Error).message}; free some or pass another scratchDirectory`, { cause });
    }
  };
  const file = explain(() => path.join(fs.mkdtempSync(path.join(directory ?? os.tmpdir(), 'genomelm-')), 'tokens'));
  const descriptor = explain(() => fs.openSync(file, 'w+'));
  const remove = () => fs.rmSync(path.dirname(file), { recursive: true, force: true });
  if (process.platform !== 'win32') remove(); // the open file lives on without a name, and is gone even when the process is killed
  let length = 0;
  const asBytes = (numbers: Uint16Array) => new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const write = (numbers: Uint16Array, position: number) => explain(() => {
    const bytes = asBytes(numbers);
    for (let done = 0; done < bytes.length;) done += fs.writeSync(descriptor, bytes, done, bytes.length - done, 2 * position + done);
  });
  return {
    append(numbers) {
      write(numbers, length);
      length += numbers.length;
    },
    read(target, position) {
      const bytes = asBytes(target);
      let done = 0;
      for (let more = -1; done < bytes.length && more !== 0; done += more) more = explain(() => fs.readSync(descriptor, bytes, done, bytes.length - done, 2 * position + done));
      return done >> 1;
    },
    write,
    close() {
      fs.closeSync(descriptor);
      remove();
    },
  };
}
