import fc from 'fast-check';
import { FormatError, parseSafetensors, serializeSafetensors, toFloat32 } from '../index';

/** A file with any header and data. */
function file(header: unknown, data = new Uint8Array(0), headerBytes?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, headerBytes ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });
const bytes = (count: number) => new Uint8Array(count);

describe('a hostile or damaged file is refused', () => {
  test.each<[string, Uint8Array, string]>([
    ['empty', bytes(0), 'expected at least 8 bytes, got 0'],
    ['a header longer than the file', file({}, bytes(0), 100n), 'expected a header of at most 2 bytes, got 100'],
    ['a header of 2^63 bytes', file({}, bytes(0), 2n ** 63n), 'expected a header of at most'],
    ['a header that is no JSON', file('{"a":'), 'expected a JSON header'],
    ['a header that is no UTF-8', file('').length ? new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]) : bytes(0), 'expected a JSON header'],
    ['a header that is a list', file([]), 'expected a JSON object as header'],
    ['overlapping tensors', file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, bytes(12)), 'expected "b" to begin at byte 8'],
    ['the same bytes twice', file({ a: f32([2], 0, 8), b: f32([2], 0, 8) }, bytes(8)), 'to begin at byte 8'],
    ['a hole between tensors', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, bytes(12)), 'expected "b" to begin at byte 4'],
    ['offsets beyond the data', file({ a: f32([4], 0, 16) }, bytes(8)), 'to lie within 8 bytes of data, got [0, 16]'],
    ['offsets that run backwards', file({ a: f32([1], 4, 0) }, bytes(4)), 'to lie within'],
    ['negative offsets', file({ a: f32([1], -4, 0) }, bytes(4)), 'to have data_offsets [begin, end]'],
    ['a fraction as offset', file({ a: f32([1], 0, 4.5) }, bytes(5)), 'to have data_offsets [begin, end]'],
    ['trailing bytes', file({ a: f32([1], 0, 4) }, bytes(6)), 'expected 4 bytes of data, got 6'],
    ['a shape that does not fit its bytes', file({ a: f32([3], 0, 8) }, bytes(8)), 'expected "a" to take 12 bytes as F32 [3], got 8'],
    ['a huge shape', file({ a: f32([2 ** 40, 2 ** 40], 0, 8) }, bytes(8)), 'to take'],
    ['a shape with a negative axis', file({ a: f32([-1, -2], 0, 8) }, bytes(8)), 'to have a shape of counts'],
    ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, bytes(4)), 'to have a shape of counts'],
    ['an unknown dtype', file({ a: { dtype: 'C64', shape: [1], data_offsets: [0, 8] } }, bytes(8)), 'to have one of the dtypes'],
    ['a dtype from the prototype', file({ a: { dtype: 'toString', shape: [1], data_offsets: [0, 8] } }, bytes(8)), 'to have one of the dtypes'],
    ['a tensor that is null', file({ a: null }), 'to have one of the dtypes'],
    ['a name that comes twice', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)), 'expected each name once in the header, got "a" twice'],
  ])('%s', (_name, bad, message) => {
    expect(() => parseSafetensors(bad)).toThrow(FormatError);
    expect(() => parseSafetensors(bad)).toThrow(message);
  });

  test('any damage to one byte of the header gives other tensors or a FormatError, never another failure', () => {
    const good = serializeSafetensors({ 'x.weight': { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }, bias: { shape: [], data: Float32Array.of(5) } });
    fc.assert(fc.property(fc.nat({ max: good.length - 21 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const bad = good.slice();
      bad[at] = value;
      try {
        parseSafetensors(bad);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }), { numRuns: 2000 });
  });
});

test('names may be anything, empty tensors and metadata too', () => {
  const data = new Uint8Array(8);
  const parsed = parseSafetensors(file({ __metadata__: { note: '"a": {' }, '__proto__x': f32([0, 5], 0, 0), 'a "quoted": {name}': f32([2], 0, 8) }, data));
  expect([...parsed.keys()]).toEqual(['__proto__x', 'a "quoted": {name}']);
});

test('what is written is read again, and the same tensors give the same bytes in any order', () => {
  const float = fc.float({ noNaN: true });
  fc.assert(fc.property(fc.dictionary(fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__'), fc.array(float), { maxKeys: 6 }), (values) => {
    const tensors = Object.fromEntries(Object.entries(values).map(([name, list]) => [name, { shape: [list.length], data: Float32Array.from(list) }]));
    const written = serializeSafetensors(tensors);
    const read = parseSafetensors(written);
    expect(read.size).toBe(Object.keys(tensors).length);
    for (const [name, { shape, data }] of Object.entries(tensors)) {
      expect(read.get(name)!.shape).toEqual(shape);
      expect(toFloat32(read.get(name)!)).toEqual(data);
    }
    expect(serializeSafetensors(Object.fromEntries(Object.entries(tensors).reverse()))).toEqual(written);
    expect((written.length - [...read.values()].reduce((total, { data }) => total + data.length, 0)) % 8).toBe(0);
  }));
});

describe('half precision widens exactly', () => {
  const widen = (dtype: string, bits: number[]) => [...toFloat32({ dtype, shape: [bits.length], data: new Uint8Array(Uint16Array.from(bits).buffer) })];

  test('F16: every value, by its parts', () => {
    expect(widen('F16', [0x3c00, 0xc000, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x3555])).toEqual([1, -2, 65504, 2 ** -14, 2 ** -14 - 2 ** -24, 2 ** -24, -0, Infinity, -Infinity, 0.333251953125]);
    expect(widen('F16', [0x7e00])[0]).toBeNaN();
  });

  test('BF16 is the upper half of F32', () => {
    const values = Float32Array.of(1, -3.140625, 2 ** -133, Infinity, -0);
    expect(widen('BF16', [...new Uint32Array(values.buffer)].map((bits) => bits >>> 16))).toEqual([...values]);
  });

  test('integers are no weights', () => {
    expect(() => toFloat32({ dtype: 'I64', shape: [1], data: new Uint8Array(8) }, 'bert.x')).toThrow('toFloat32: expected bert.x as F32, F16, BF16 or F64, got I64');
  });
});
