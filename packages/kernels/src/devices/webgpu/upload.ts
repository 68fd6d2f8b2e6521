// Host data of one submission: parameters, arrays and writes. Gathered while commands are recorded, sent with one writeBuffer per chunk just before them.
import { bufferUsage } from './usage';

/** Bytes of a chunk: some hundred parameter blocks. */
const chunkBytes = 1 << 18;

/** Bindings begin at multiples of 256 bytes. */
const alignment = 64;

interface Chunk {
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly words: Uint32Array<ArrayBuffer>;
  used: number;
}

/** Where words will lie when the commands run. */
export interface Placed {
  /** Of the chunk, below zero: tensors' buffers count upwards from zero, and both stand in one key. */
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

interface Block {
  readonly chunk: Chunk;
  readonly at: number;
  readonly length: number;
}

export interface Upload {
  /** Words for a shader to read. An equal block of the same submission is shared: half to nine tenths of them are. */
  share(words: Uint32Array): Placed;
  /** Words to be copied from. */
  stage(words: Uint32Array): Placed;
  /** Hands everything to the queue; the commands that use it must follow at once. */
  send(): void;
  readonly reserved: () => number;
  destroy(): void;
}

export function createUpload(device: GPUDevice): Upload {
  const idle: Chunk[] = [];
  const large: Chunk[] = [];
  let open: Chunk[] = [];
  let blocks = new Map<number, Block[]>();
  let [nextId, reserved] = [-1, 0];

  const createChunk = (bytes: number): Chunk => {
    reserved += bytes;
    return { id: nextId--, gpu: device.createBuffer({ label: 'upload', size: bytes, usage: bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget }), words: new Uint32Array(bytes / 4), used: 0 };
  };
  const place = (words: Uint32Array): Block => {
    let chunk = open.at(-1);
    if (!chunk || chunk.used + words.length > chunk.words.length) {
      chunk = words.length * 4 > chunkBytes ? createChunk(words.length * 4) : (idle.pop() ?? createChunk(chunkBytes));
      open.push(chunk);
    }
    const at = chunk.used;
    chunk.words.set(words, at);
    chunk.used = Math.ceil((at + words.length) / alignment) * alignment;
    return { chunk, at, length: words.length };
  };
  const placed = ({ chunk: { id, gpu }, at, length }: Block): Placed => ({ id, gpu, offset: at * 4, size: length * 4 });
  const retire = (chunk: Chunk) => {
    reserved -= chunk.gpu.size;
    chunk.gpu.destroy();
  };

  return {
    share(words) {
      const hash = hashOf(words);
      const alike = blocks.get(hash) ?? [];
      let block = alike.find((candidate) => equal(candidate, words));
      if (!block) {
        block = place(words);
        blocks.set(hash, [...alike, block]);
      }
      return placed(block);
    },
    stage: (words) => placed(place(words)),
    send() {
      for (const chunk of large.splice(0)) retire(chunk); // used by the submission before
      for (const chunk of open) {
        device.queue.writeBuffer(chunk.gpu, 0, chunk.words, 0, Math.min(chunk.used, chunk.words.length));
        chunk.used = 0;
        (chunk.gpu.size === chunkBytes ? idle : large).push(chunk);
      }
      open = [];
      blocks = new Map();
    },
    reserved: () => reserved,
    destroy() {
      for (const chunk of [...idle, ...open, ...large]) retire(chunk);
    },
  };
}

/** FNV-1a over words. */
function hashOf(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193);
  return hash;
}

function equal({ chunk, at, length }: Block, words: Uint32Array): boolean {
  if (length !== words.length) return false;
  for (let i = 0; i < length; i++) if (chunk.words[at + i] !== words[i]) return false;
  return true;
}
