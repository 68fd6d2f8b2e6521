// Upstream's pytorch_model.bin: a zip with one pickle (protocol 2) that says how tensors lie in raw storages (torch/serialization.py, `_save`).
// A pickle is a program. This reads the 27 instructions and 13 globals that a state dict needs, builds plain records, and refuses every other one by name: nothing is ever looked up or called.
import { FormatError } from '../errors';
import { readZip } from './zip';
import { bytesPerElement, entryOf, type StoredSpec, type WeightsFile } from './storedTensor';
import type { ByteSource } from './byteSource';

/** Where a tensor's elements lie: in the storage `key`, from `offset`, `strides` apart, all in elements. */
export interface PickledTensor extends StoredSpec {
  readonly key: string;
  readonly storageElements: number;
  readonly offset: number;
  readonly strides: readonly number[];
}

class Global { constructor(readonly name: string) {} }
class Storage { constructor(readonly dtype: string, readonly key: string, readonly elements: number) {} }
class PickledDict { readonly entries = new Map<unknown, unknown>(); }
class Rebuilt { constructor(readonly tensor: PickledTensor) {} }
type Memo = Map<number, unknown>;

const storageTypes: Readonly<Record<string, string>> = {
  'torch FloatStorage': 'F32', 'torch HalfStorage': 'F16', 'torch BFloat16Storage': 'BF16', 'torch DoubleStorage': 'F64',
  'torch LongStorage': 'I64', 'torch IntStorage': 'I32', 'torch ShortStorage': 'I16', 'torch CharStorage': 'I8', 'torch ByteStorage': 'U8', 'torch BoolStorage': 'BOOL',
};
const orderedDict = 'collections OrderedDict';
const rebuildTensor = 'torch._utils _rebuild_tensor_v2';
const rebuildParameter = 'torch._utils _rebuild_parameter';
const globals = [orderedDict, rebuildTensor, rebuildParameter, ...Object.keys(storageTypes)];

/** Names of the other instructions, for messages (pickletools.py). */
const refusedOpcodes: Readonly<Record<number, string>> = {
  0x30: 'POP', 0x31: 'POP_MARK', 0x32: 'DUP', 0x46: 'FLOAT', 0x47: 'BINFLOAT', 0x49: 'INT', 0x4c: 'LONG', 0x50: 'PERSID', 0x53: 'STRING', 0x54: 'BINSTRING', 0x55: 'SHORT_BINSTRING', 0x56: 'UNICODE', 0x61: 'APPEND', 0x64: 'DICT', 0x65: 'APPENDS', 0x67: 'GET',
  0x69: 'INST', 0x6c: 'LIST', 0x6f: 'OBJ', 0x70: 'PUT', 0x5d: 'EMPTY_LIST', 0x81: 'NEWOBJ', 0x82: 'EXT1', 0x83: 'EXT2', 0x84: 'EXT4', 0x8b: 'LONG4', 0x42: 'BINBYTES', 0x43: 'SHORT_BINBYTES', 0x8c: 'SHORT_BINUNICODE', 0x8d: 'BINUNICODE8', 0x8e: 'BINBYTES8',
  0x8f: 'EMPTY_SET', 0x90: 'ADDITEMS', 0x91: 'FROZENSET', 0x92: 'NEWOBJ_EX', 0x93: 'STACK_GLOBAL', 0x94: 'MEMOIZE', 0x95: 'FRAME', 0x96: 'BYTEARRAY8', 0x97: 'NEXT_BUFFER', 0x98: 'READONLY_BUFFER',
};

const refuse = (expected: string, got: string): never => {
  throw new FormatError(`parsePickle: expected ${expected}, got ${got}; nothing was executed. Save the weights again as safetensors if you trust them`, { format: 'pickle' });
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
const describe = (value: unknown): string => (value instanceof Global ? `the global ${value.name}` : value === null || typeof value !== 'object' ? JSON.stringify(value) ?? 'nothing' : Array.isArray(value) ? 'a tuple' : value instanceof Storage ? 'a storage' : value instanceof Rebuilt ? 'a tensor' : 'a dictionary');

/** The tensors that a state dict names. @throws FormatError for any instruction or global that a state dict of tensors does not need */
export function parsePickle(bytes: Uint8Array): Map<string, PickledTensor> {
  const root = run(bytes);
  if (!(root instanceof PickledDict)) return refuse('a dictionary of tensors', describe(root));
  const tensors = new Map<string, PickledTensor>();
  for (const [name, value] of root.entries) {
    if (typeof name !== 'string' || !(value instanceof Rebuilt)) return refuse(`a dictionary of tensors by name`, `${describe(value)} under ${describe(name)}`);
    tensors.set(name, value.tensor);
  }
  return tensors;
}

function run(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let stack: unknown[] = [];
  const marks: unknown[][] = [];
  const memo: Memo = new Map();
  let at = 0;
  const take = (count: number): number => {
    if (count > bytes.length - at) return refuse(`${count} bytes from byte ${at}`, `the end at ${bytes.length}`);
    at += count;
    return at - count;
  };
  const pop = (): unknown => (stack.length ? stack.pop() : refuse(`a value on the stack at byte ${at - 1}`, 'none'));
  const popMark = (): unknown[] => {
    const items = stack;
    stack = marks.pop() ?? refuse(`a mark on the stack at byte ${at - 1}`, 'none');
    return items;
  };
  const tuple = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();
  const recall = (index: number): unknown => (memo.has(index) ? memo.get(index) : refuse(`memo ${index} to be set before byte ${at}`, 'none'));
  const store = (index: number) => memo.set(index, stack.length ? stack.at(-1) : refuse(`a value to remember at byte ${at}`, 'none'));
  const setItems = (items: readonly unknown[]) => {
    const dict = stack.at(-1);
    if (!(dict instanceof PickledDict) || items.length % 2) return refuse(`a dictionary for the items at byte ${at - 1}`, describe(dict));
    for (let i = 0; i < items.length; i += 2) {
      if (dict.entries.has(items[i])) refuse('each name once', `${describe(items[i])} twice`);
      dict.entries.set(items[i], items[i + 1]);
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) return refuse(`the end of a line from byte ${at}`, 'none');
    const from = take(end + 1 - at);
    return new TextDecoder().decode(bytes.subarray(from, end));
  };
  for (;;) {
    const from = take(1);
    const opcode = bytes[from];
    switch (opcode) {
      case 0x80: { const protocol = bytes[take(1)]; if (protocol !== 2) refuse('protocol 2, as torch.save writes it', `${protocol}`); break; } // PROTO
      case 0x28: marks.push(stack); stack = []; break; // MARK
      case 0x29: stack.push([]); break; // EMPTY_TUPLE
      case 0x85: case 0x86: case 0x87: stack.push(tuple(opcode - 0x84)); break; // TUPLE1, 2, 3
      case 0x74: { const items = popMark(); stack.push(items); break; } // TUPLE
      case 0x7d: stack.push(new PickledDict()); break; // EMPTY_DICT
      case 0x73: { const pair = tuple(2); setItems(pair); break; } // SETITEM
      case 0x75: { const items = popMark(); setItems(items); break; } // SETITEMS
      case 0x4e: stack.push(null); break; // NONE
      case 0x88: stack.push(true); break; // NEWTRUE
      case 0x89: stack.push(false); break; // NEWFALSE
      case 0x4b: stack.push(bytes[take(1)]); break; // BININT1
      case 0x4d: stack.push(view.getUint16(take(2), true)); break; // BININT2
      case 0x4a: stack.push(view.getInt32(take(4), true)); break; // BININT
      case 0x8a: stack.push(readLong(bytes, take(bytes[take(1)]), at)); break; // LONG1
      case 0x58: { const length = view.getUint32(take(4), true); const start = take(length); stack.push(new TextDecoder().decode(bytes.subarray(start, at))); break; } // BINUNICODE
      case 0x71: store(bytes[take(1)]); break; // BINPUT
      case 0x72: store(view.getUint32(take(4), true)); break; // LONG_BINPUT
      case 0x68: stack.push(recall(bytes[take(1)])); break; // BINGET
      case 0x6a: stack.push(recall(view.getUint32(take(4), true))); break; // LONG_BINGET
      case 0x63: stack.push(global(`${line()} ${line()}`, from)); break; // GLOBAL
      case 0x51: stack.push(storage(pop())); break; // BINPERSID
      case 0x52: { const [callable, args] = tuple(2); stack.push(reduce(callable, args)); break; } // REDUCE
      case 0x62: build(pop(), stack.at(-1)); break; // BUILD
      case 0x2e: return pop(); // STOP
      default: return refuse('the instructions of a state dict', `${refusedOpcodes[opcode] ?? 'the unknown opcode'} (0x${opcode.toString(16).padStart(2, '0')}) at byte ${from}`);
    }
  }
}

const global = (name: string, at: number): Global => (globals.includes(name) ? new Global(name) : refuse(`one of the globals ${globals.join(', ')}`, `${JSON.stringify(name)} at byte ${at}`));

/** Little-endian two's complement. */
function readLong(bytes: Uint8Array, begin: number, end: number): number {
  let value = 0n;
  for (let i = end - 1; i >= begin; i--) value = (value << 8n) | BigInt(bytes[i]);
  return end > begin ? Number(BigInt.asIntN(8 * (end - begin), value)) : 0;
}

/** A persistent id: ('storage', type, key, location, elements). */
function storage(id: unknown): Storage {
  const [kind, type, key, , elements] = Array.isArray(id) ? (id as unknown[]) : [];
  const dtype = type instanceof Global ? storageTypes[type.name] : undefined;
  if (kind !== 'storage' || !dtype || typeof key !== 'string' || !/^\d+$/.test(key) || !isCount(elements)) return refuse("a storage ('storage', type, key, location, elements)", describe(id));
  return new Storage(dtype, key, elements);
}

function reduce(callable: unknown, args: unknown): unknown {
  if (callable instanceof Global && callable.name === orderedDict && Array.isArray(args) && !args.length) return new PickledDict();
  if (callable instanceof Global && callable.name === rebuildTensor && Array.isArray(args)) return new Rebuilt(rebuild(args));
  // _rebuild_parameter(data, requires_grad, backward_hooks): the tensor itself.
  if (callable instanceof Global && callable.name === rebuildParameter && Array.isArray(args) && args[0] instanceof Rebuilt) return args[0];
  return refuse('an empty OrderedDict, _rebuild_tensor_v2 or _rebuild_parameter of a tensor to be made', describe(callable));
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks): every element must lie in the storage. */
function rebuild([from, offset, shape, strides]: readonly unknown[]): PickledTensor {
  if (!(from instanceof Storage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) return refuse('_rebuild_tensor_v2(storage, offset, size, stride, …)', 'other arguments');
  const elements = shape.reduce((product, axis) => product * axis, 1);
  const last = elements ? shape.reduce((sum, axis, i) => sum + (axis - 1) * strides[i], offset) : 0;
  if (elements > from.elements || (elements && last >= from.elements)) return refuse(`a tensor within the ${from.elements} elements of storage ${from.key}`, `shape [${shape.join(', ')}], strides [${strides.join(', ')}], offset ${offset}`);
  return { dtype: from.dtype, shape, key: from.key, storageElements: from.elements, offset, strides };
}

/** torch hangs `_metadata` (versions of modules) on its OrderedDict; it says nothing of tensors and is dropped. */
function build(state: unknown, target: unknown): void {
  const names = state instanceof PickledDict ? [...state.entries.keys()] : [];
  if (!(target instanceof PickledDict) || names.length !== 1 || names[0] !== '_metadata') refuse('a BUILD that hangs _metadata on an OrderedDict', describe(state));
}

/** data.pkl of 117 million parameters takes 58 kB; the largest models stay far below. */
const maxPickleBytes = 100_000_000;

/** How torch.save began its files before they were zips: PROTO 2, LONG1 of ten bytes, the magic number 0x1950a86a20f9469cfc6c. */
const oldMagic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** Opens what torch.save wrote (torch 1.6 or newer). Tensors that share a storage may overlap: tied weights do. @throws FormatError */
export async function openTorchFile(source: ByteSource): Promise<WeightsFile> {
  const first = await source.read(0, Math.min(oldMagic.length, source.byteLength));
  if (oldMagic.every((byte, i) => first[i] === byte)) throw new FormatError('openTorchFile: expected a zip, as torch.save writes it since 1.6, got the format before that; save the weights again with a newer torch, or as safetensors', { format: 'pickle' });
  const zip = await readZip(source);
  const [pickle, ...others] = zip.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle || others.length) return refuse('one FOLDER/data.pkl in the file', pickle ? [pickle, ...others].join(', ') : 'none');
  const folder = pickle.slice(0, -'data.pkl'.length);
  if (zip.sizeOf(pickle)! > maxPickleBytes) return refuse(`${pickle} of at most ${maxPickleBytes} bytes`, `${zip.sizeOf(pickle)}`);
  if (zip.sizeOf(`${folder}byteorder`) !== undefined && new TextDecoder().decode(await zip.read(`${folder}byteorder`)) !== 'little') return refuse('little-endian storages', 'another byteorder');
  const tensors = parsePickle(await zip.read(pickle));
  for (const { key, dtype, storageElements } of tensors.values()) {
    const [size, expected] = [zip.sizeOf(`${folder}data/${key}`), storageElements * bytesPerElement[dtype]];
    if (size !== expected) return refuse(`${folder}data/${key} of ${expected} bytes`, size === undefined ? 'none' : `${size}`);
  }
  return {
    tensors,
    async read(name) {
      const tensor = entryOf(tensors, name);
      const { dtype, shape } = tensor;
      return { dtype, shape, data: elementsOf(tensor, await zip.read(`${folder}data/${tensor.key}`)) };
    },
    close: () => source.close(),
  };
}

/** Row-major bytes of a tensor; one that lies so already is a view. */
function elementsOf({ dtype, shape, strides, offset }: PickledTensor, storage: Uint8Array): Uint8Array {
  const width = bytesPerElement[dtype];
  const elements = shape.reduce((product, axis) => product * axis, 1);
  const rowMajor = shape.map((_, i) => shape.slice(i + 1).reduce((product, axis) => product * axis, 1));
  if (!elements || shape.every((axis, i) => axis === 1 || strides[i] === rowMajor[i])) return storage.subarray(offset * width, (offset + elements) * width);
  const data = new Uint8Array(elements * width);
  for (let i = 0; i < elements; i++) {
    const from = shape.reduce((sum, axis, d) => sum + (Math.floor(i / rowMajor[d]) % axis) * strides[d], offset) * width;
    data.set(storage.subarray(from, from + width), i * width);
  }
  return data;
}
