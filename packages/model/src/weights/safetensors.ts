// safetensors (huggingface/safetensors, "Format"): u64 little-endian header length, JSON header, little-endian data without holes.
import { FormatError } from '../errors';

/** One tensor as it lies in the file; `data` is a view of the file's bytes, possibly unaligned. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const bytesPerElement: Readonly<Record<string, number>> = { BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, U16: 2, I16: 2, F16: 2, BF16: 2, U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 };

/** The format's own limit: a longer header is an attack or no header. */
const maxHeaderBytes = 100_000_000;

const refuse = (expected: string, got: unknown, cause?: unknown): never => {
  throw new FormatError(`parseSafetensors: expected ${expected}, got ${typeof got === 'string' ? got : JSON.stringify(got)}; the file is damaged or no safetensors file`, { format: 'safetensors', cause });
};

/** The tensors of a file by name. Everything is checked before any is touched: sizes, overlaps, holes, names that come twice. @throws FormatError */
export function parseSafetensors(file: Uint8Array): Map<string, StoredTensor> {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength); // a Buffer's slice() would not copy
  if (bytes.byteLength < 8) return refuse('at least 8 bytes', `${bytes.byteLength}`);
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (headerBytes > Math.min(maxHeaderBytes, bytes.byteLength - 8)) return refuse(`a header of at most ${Math.min(maxHeaderBytes, bytes.byteLength - 8)} bytes`, `${headerBytes}`);
  const data = bytes.subarray(8 + headerBytes);
  const tensors = new Map<string, StoredTensor>();
  const ranges: [begin: number, end: number, name: string][] = [];
  for (const [name, entry] of parseHeader(bytes.subarray(8, 8 + headerBytes))) {
    if (name === '__metadata__') continue;
    const { dtype, shape, begin, end } = parseEntry(name, entry, data.byteLength);
    ranges.push([begin, end, name]);
    tensors.set(name, { dtype, shape, data: data.subarray(begin, end) });
  }
  let at = 0;
  for (const [begin, end, name] of ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== at) return refuse(`${JSON.stringify(name)} to begin at byte ${at}, where the tensor before it ends`, `${begin}`);
    at = end;
  }
  if (at !== data.byteLength) return refuse(`${at} bytes of data`, `${data.byteLength}`);
  return tensors;
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

function parseEntry(name: string, entry: unknown, dataBytes: number): { dtype: string; shape: number[]; begin: number; end: number } {
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

/** Elements of an F32, F16 or BF16 tensor; half precision widens exactly. @throws TypeError for other dtypes */
export function toFloat32({ dtype, data }: StoredTensor, name = 'the tensor'): Float32Array {
  const aligned = data.slice().buffer;
  if (dtype === 'F32') return new Float32Array(aligned);
  if (dtype === 'BF16') return new Float32Array(Uint32Array.from(new Uint16Array(aligned), (bits) => bits << 16).buffer);
  if (dtype === 'F16') return Float32Array.from(new Uint16Array(aligned), widenHalf);
  throw new TypeError(`toFloat32: expected ${name} as F32, F16 or BF16, got ${dtype}`);
}

function widenHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
}

/** A file of float32 tensors, in the order of their names: the same tensors always give the same bytes. */
export function serializeSafetensors(tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>): Uint8Array {
  const sorted = Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let at = 0;
  for (const [name, { shape, data }] of sorted) header[name] = { dtype: 'F32', shape, data_offsets: [at, (at += data.byteLength)] };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(text.byteLength / 8) * 8; // data aligned to 8 bytes, as the format's own writer does
  const bytes = new Uint8Array(8 + headerBytes + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8 + text.byteLength, 8 + headerBytes);
  bytes.set(text, 8);
  let to = 8 + headerBytes;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), to);
    to += data.byteLength;
  }
  return bytes;
}
