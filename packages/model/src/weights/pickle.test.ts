import { FormatError } from '../errors';
import { bytesSource } from './byteSource';
import { openTorchFile, parsePickle } from './pickle';
import { readZip } from './zip';

/** A zip of stored entries as torch.save writes them. */
function zipOf(entries: Readonly<Record<string, Uint8Array | string>>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, contents] of Object.entries(entries)) {
    const [data, label] = [Buffer.from(contents), Buffer.from(name)];
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crcOf(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(label.length, 22);
    parts.push(Buffer.from('PK\x03\x04'), fields, label, data);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), fields, more, label);
    at += 30 + label.length + data.length;
  }
  const size = Buffer.concat(directory).length;
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  for (const offset of [8, 10]) end.writeUInt16LE(Object.keys(entries).length, offset);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** CRC-32 bit by bit, straight from its definition. */
function crcOf(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const storage = (type = 'FloatStorage', key = '0', elements = 'K\x04') => `(${text('storage')}ctorch\n${type}\n${text(key)}${text('cpu')}${elements}tQ`;
const tensorOf = (from: string, { offset = 'K\0', shape = 'K\x02K\x02', strides = 'K\x02K\x01' } = {}) => `ctorch._utils\n_rebuild_tensor_v2\n(${from}${offset}(${shape}t(${strides}t\x89ccollections\nOrderedDict\n)RtR`;
const stateDict = (tensor: string) => `\x80\x02ccollections\nOrderedDict\n)R${text('w')}${tensor}s.`;
const pickle = (program: string) => Buffer.from(program, 'latin1');
const values = Float32Array.of(1, 2, 3, 4);
const open = (program: string, entries: Record<string, Uint8Array | string> = {}) => openTorchFile(bytesSource(zipOf({ 'm/data.pkl': pickle(program), 'm/data/0': new Uint8Array(values.buffer), ...entries })));

describe('a state dict', () => {
  const read = async (program: string) => {
    const { dtype, shape, data } = await (await open(program)).read('w');
    return { dtype, shape, data: [...new Float32Array(data.slice().buffer)] };
  };

  test('is rebuilt from storages, offsets and strides', async () => {
    expect(await read(stateDict(tensorOf(storage())))).toEqual({ dtype: 'F32', shape: [2, 2], data: [1, 2, 3, 4] });
    expect(await read(stateDict(tensorOf(storage(), { strides: 'K\x01K\x02' })))).toEqual({ dtype: 'F32', shape: [2, 2], data: [1, 3, 2, 4] });
    expect(await read(stateDict(tensorOf(storage(), { offset: 'K\x01', shape: 'K\x03', strides: 'K\x01' })))).toEqual({ dtype: 'F32', shape: [3], data: [2, 3, 4] });
    expect(await read(stateDict(tensorOf(storage(), { shape: '', strides: '' })))).toEqual({ dtype: 'F32', shape: [], data: [1] });
  });

  test.each([['HalfStorage', 'F16', 'K\x08'], ['BFloat16Storage', 'BF16', 'K\x08'], ['DoubleStorage', 'F64', 'K\x02'], ['LongStorage', 'I64', 'K\x02'], ['IntStorage', 'I32', 'K\x04'], ['ShortStorage', 'I16', 'K\x08'], ['CharStorage', 'I8', 'K\x10'], ['ByteStorage', 'U8', 'K\x10'], ['BoolStorage', 'BOOL', 'K\x10']])('may lie in a %s', async (type, dtype, elements) => {
    const weights = await open(stateDict(tensorOf(storage(type, '0', elements), { shape: 'K\x02', strides: 'K\x01' })));
    expect((await weights.read('w')).dtype).toBe(dtype);
  });
});

describe('what is no state dict is refused by name', () => {
  test.each<[string, string, string]>([
    ['a call', '\x80\x02cos\nsystem\n(Vrm\ntR.', 'got "os system" at byte 2; nothing was executed'],
    ['a call through builtins', '\x80\x02cbuiltins\neval\n.', '"builtins eval"'],
    ["torch's own functions", '\x80\x02ctorch._utils\n_rebuild_qtensor\n.', '"torch._utils _rebuild_qtensor"'],
    ['a global in disguise', '\x80\x02ctorch\nFloatStorage \n.', '"torch FloatStorage "'],
    ['a global by the stack', `\x80\x02${text('os')}${text('system')}\x93.`, 'STACK_GLOBAL (0x93)'],
    ['an instance', '\x80\x02(ios\nsystem\n.', 'INST (0x69)'],
    ['an object', '\x80\x02(o.', 'OBJ (0x6f)'],
    ['a new object', '\x80\x02))\x81.', 'NEWOBJ (0x81)'],
    ['an extension', '\x80\x02\x82\x01.', 'EXT1 (0x82)'],
    ['bytes of no instruction', '\x80\x02\xff.', 'the unknown opcode (0xff)'],
    ['protocol 4', '\x80\x04.', 'expected protocol 2'],
    ['a call of an allowed global with other arguments', '\x80\x02ccollections\nOrderedDict\n(K\x01tR.', 'expected an empty OrderedDict, _rebuild_tensor_v2 or _rebuild_parameter of a tensor to be made'],
    ['a parameter of no tensor', '\x80\x02ctorch._utils\n_rebuild_parameter\n(K\x01tR.', 'got the global torch._utils _rebuild_parameter'],
    ['a call of a storage', '\x80\x02ctorch\nFloatStorage\n)R.', 'got the global torch FloatStorage'],
    ['state for a tensor', stateDict(`${tensorOf(storage())}}b`), 'expected a BUILD that hangs _metadata'],
    ['a memo that was never set', '\x80\x02h\x05.', 'expected memo 5 to be set'],
    ['an empty stack', '\x80\x02\x85.', 'expected a value on the stack'],
    ['a missing mark', '\x80\x02t.', 'expected a mark'],
    ['the end before STOP', '\x80\x02)', 'expected 1 bytes'],
    ['a string longer than the file', '\x80\x02X\xff\xff\xff\xff', 'expected 4294967295 bytes'],
    ['a number', '\x80\x02K\x01.', 'expected a dictionary of tensors, got 1'],
    ['a number among the tensors', stateDict('K\x01'), 'got 1 under "w"'],
    ['a name that comes twice', `\x80\x02}(${text('w')}N${text('w')}Nu.`, 'expected each name once, got "w" twice'],
    ['a storage key that is a path', stateDict(tensorOf(storage('FloatStorage', '../0'))), 'expected a storage'],
    ['a storage of another type', stateDict(tensorOf(storage('ComplexFloatStorage'))), '"torch ComplexFloatStorage"'],
    ['a tensor beyond its storage', stateDict(tensorOf(storage(), { offset: 'K\x01' })), 'expected a tensor within the 4 elements of storage 0'],
    ['a tensor that repeats elements without end', stateDict(tensorOf(storage(), { shape: 'J\xff\xff\xff\x7f', strides: 'K\0' })), 'expected a tensor within'],
    ['a negative offset', stateDict(tensorOf(storage(), { offset: 'J\xff\xff\xff\xff' })), 'got other arguments'],
    ['a negative stride', stateDict(tensorOf(storage(), { offset: 'K\x03', shape: 'K\x04', strides: '\x8a\x01\xff' })), 'got other arguments'],
    ['counts that overflow', stateDict(tensorOf(storage(), { shape: '\x8a\x08\0\0\0\0\0\0\0\x40K\x02' })), 'got other arguments'],
  ])('%s', (_name, program, message) => {
    expect(() => parsePickle(pickle(program))).toThrow(FormatError);
    expect(() => parsePickle(pickle(program))).toThrow(message);
  });
});

describe('a damaged or foreign file is refused', () => {
  const good = stateDict(tensorOf(storage()));
  const zip = zipOf({ 'm/data.pkl': pickle(good), 'm/data/0': new Uint8Array(values.buffer) });
  const changed = (at: number, value: number) => { const bad = Uint8Array.from(zip); bad[at] = value; return bad; };
  const directory = Buffer.from(zip).indexOf('PK\x01\x02');
  const second = Buffer.from(zip).lastIndexOf('PK\x01\x02');

  test.each<[string, Uint8Array, string]>([
    ['no zip', Buffer.from('hello'), 'expected a zip file'],
    ['compressed', changed(directory + 10, 8), 'expected m/data.pkl to be stored, got compression method 8'],
    ['encrypted', changed(directory + 8, 1), 'an encrypted entry'],
    ['entries on top of each other', changed(second + 42, 0), 'expected'],
    ['an entry beyond the directory', changed(second + 45, 0x7f), 'to end before byte'],
    ['a size that is not the stored one', changed(second + 20, 1), 'expected m/data/0 to take'],
    ['more entries than the directory', changed(zip.length - 12, 200), 'expected one volume'],
    ['a part of several', changed(zip.length - 18, 1), 'a part of several'],
    ['no pickle', zipOf({ 'm/data/0': 'x' }), 'expected one FOLDER/data.pkl in the file, got none'],
    ['two pickles', zipOf({ 'm/data.pkl': pickle(good), 'n/data.pkl': pickle(good) }), 'got m/data.pkl, n/data.pkl'],
    ['no storage', zipOf({ 'm/data.pkl': pickle(good) }), 'expected m/data/0 of 16 bytes, got none'],
    ['a short storage', zipOf({ 'm/data.pkl': pickle(good), 'm/data/0': 'short' }), 'expected m/data/0 of 16 bytes, got 5'],
    ['big-endian storages', zipOf({ 'm/data.pkl': pickle(good), 'm/data/0': new Uint8Array(16), 'm/byteorder': 'big' }), 'expected little-endian'],
  ])('%s', async (_name, bad, message) => {
    await expect(openTorchFile(bytesSource(bad))).rejects.toThrow(FormatError);
    await expect(openTorchFile(bytesSource(bad))).rejects.toThrow(message);
  });

  test('changed bytes are found by their CRC, and a header that names another entry', async () => {
    const data = Buffer.from(zip).indexOf('m/data/0') + 8;
    await expect(openTorchFile(bytesSource(changed(data, 9))).then((weights) => weights.read('w'))).rejects.toThrow('expected the CRC of m/data/0');
    await expect(readZip(bytesSource(changed(data - 1, 49))).then((file) => file.read('m/data/0'))).rejects.toThrow('expected the entry "m/data/0"');
  });
});
