// safetensors (huggingface/safetensors, "Format"): u64 little-endian header length, JSON header, little-endian data without holes.
import { FormatError } from '../errors';
import { bytesPerElement, entryOf, type StoredSpec, type StoredTensor, type WeightsFile } from './storedTensor';
import type { ByteSource } from './byteSource';

/** The format's own limit: a longer header is an attack or no header. */
const maxHeaderBytes = 100_000_000;

const refuse = (expected: string, got: unknown, cause?: unknown): never => {
  throw new FormatError(`parseSafetensors: expected ${expected}, got ${typeof got === 'string' ? got : JSON.stringify(got)}; the file is damaged or no safetensors file`, { format: 'safetensors', cause });
};

/** A tensor's place in the data behind the header. */
interface Placed extends StoredSpec {
  readonly begin: number;
  readonly end: number;
}

/** The tensors of a file by name. Everything is checked before any is touched: sizes, overlaps, holes, names that come twice. @throws FormatError */
export function parseSafetensors(file: Uint8Array): Map<string, StoredTensor> {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength); // a Buffer's slice() would not copy
  const dataBegin = 8 + headerBytesOf(bytes.subarray(0, 8), bytes.byteLength);
  const data = bytes.subarray(dataBegin);
  return new Map([...placesOf(bytes.subarray(8, dataBegin), data.byteLength)].map(([name, { dtype, shape, begin, end }]) => [name, { dtype, shape, data: data.subarray(begin, end) }]));
}

/** The same for a file too large to hold: its header is read and checked now, each tensor when it is asked for. @throws FormatError */
export async function openSafetensors(source: ByteSource): Promise<WeightsFile> {
  const dataBegin = 8 + headerBytesOf(await source.read(0, Math.min(8, source.byteLength)), source.byteLength);
  const tensors = placesOf(await source.read(8, dataBegin), source.byteLength - dataBegin);
  return {
    tensors,
    async read(name) {
      const { dtype, shape, begin, end } = entryOf(tensors, name);
      return { dtype, shape, data: await source.read(dataBegin + begin, dataBegin + end) };
    },
    close: () => source.close(),
  };
}

/** @param start - the first 8 bytes, or fewer if there are no more */
function headerBytesOf(start: Uint8Array, fileBytes: number): number {
  if (start.byteLength < 8) return refuse('at least 8 bytes', `${start.byteLength}`);
  const headerBytes = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  const most = Math.min(maxHeaderBytes, fileBytes - 8);
  return headerBytes <= most ? headerBytes : refuse(`a header of at most ${most} bytes`, `${headerBytes}`);
}

function placesOf(header: Uint8Array, dataBytes: number): Map<string, Placed> {
  const tensors = new Map<string, Placed>();
  for (const [name, entry] of parseHeader(header)) if (name !== '__metadata__') tensors.set(name, parseEntry(name, entry, dataBytes));
  let at = 0;
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) return refuse(`${JSON.stringify(name)} to begin at byte ${at}, where the tensor before it ends`, `${begin}`);
    at = end;
  }
  return at === dataBytes ? tensors : refuse(`${at} bytes of data`, `${dataBytes}`);
}

function parseHeader(bytes: Uint8Array): [name: string, entry: unknown][] {
  let header: unknown;
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    return refuse('a JSON header', JSON.stringify(text.slice(0, 40)), cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return refuse('a JSON object as header', header);
  const twice = findRepeatedKey(text);
  if (twice !== undefined) return refuse('each name once in the header', `${JSON.stringify(twice)} twice`);
  return Object.entries(header);
}

/** JSON.parse keeps the last of two equal keys; this finds them in the text of a valid JSON object. */
function findRepeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (const { 0: token } of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, -1)) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}

function parseEntry(name: string, entry: unknown, dataBytes: number): Placed {
  const { dtype, shape, data_offsets: offsets } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (typeof dtype !== 'string' || !Object.hasOwn(bytesPerElement, dtype)) return refuse(`${JSON.stringify(name)} to have one of the dtypes ${Object.keys(bytesPerElement).join(', ')}`, dtype ?? null);
  if (!Array.isArray(shape) || !shape.every(isCount)) return refuse(`${JSON.stringify(name)} to have a shape of counts`, shape ?? null);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) return refuse(`${JSON.stringify(name)} to have data_offsets [begin, end]`, offsets ?? null);
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) return refuse(`${JSON.stringify(name)} to lie within ${dataBytes} bytes of data`, `[${begin}, ${end}]`);
  const bytes = (shape as number[]).reduce((product, axis) => product * axis, bytesPerElement[dtype]);
  if (bytes !== end - begin) return refuse(`${JSON.stringify(name)} to take ${bytes} bytes as ${dtype} [${shape.join(', ')}]`, `${end - begin}`);
  return { dtype, shape: shape as number[], begin, end };
}

/** Header and order of a file of tensors of one type: sorted by name, so that the same tensors always give the same bytes. */
export function layOut(shapes: ReadonlyMap<string, readonly number[]>, dtype: 'F32' | 'F16' | 'BF16' = 'F32'): { readonly header: Uint8Array; readonly names: readonly string[]; readonly dataBytes: number } {
  const names = [...shapes.keys()].sort();
  const entries: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let at = 0;
  for (const name of names) {
    const shape = shapes.get(name)!;
    entries[name] = { dtype, shape, data_offsets: [at, (at += shape.reduce((product, axis) => product * axis, bytesPerElement[dtype]))] };
  }
  const text = new TextEncoder().encode(JSON.stringify(entries));
  const header = new Uint8Array(8 + Math.ceil(text.byteLength / 8) * 8).fill(0x20); // data aligned to 8 bytes, as the format's own writer does
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(text, 8);
  return { header, names, dataBytes: at };
}

/** A file of float32 tensors. */
export function serializeSafetensors(tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>): Uint8Array {
  const { header, names, dataBytes } = layOut(new Map(Object.entries(tensors).map(([name, { shape }]) => [name, shape])));
  const bytes = new Uint8Array(header.length + dataBytes);
  bytes.set(header);
  let at = header.length;
  for (const { data } of names.map((name) => tensors[name])) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
