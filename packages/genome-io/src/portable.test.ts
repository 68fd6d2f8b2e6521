// As in a browser: Node's own modules are hidden, fflate and plain JavaScript do the work.
import { crc32, deflateRawSync, gunzipSync } from 'node:zlib';
import { bgzfCompress, bgzfDecompress } from './bgzf';
import { readFasta } from './fasta';
import { inflater } from './inflate';
import { openFasta } from './openFasta';

const hidden = process.getBuiltinModule;
const text = Buffer.from(`>a\n${'ACGTTGCAAGCT\n'.repeat(12_000)}>b\nGATTACA\n`);
afterEach(() => { process.getBuiltinModule = hidden; });
const hide = () => { process.getBuiltinModule = undefined as never; };

test('BGZF is written and read, and damage is found', async () => {
  hide();
  const file = await bgzfCompress(text);
  expect(Buffer.from(await bgzfDecompress(file)).equals(text)).toBe(true);
  for (const at of [30, 60]) {
    const changed = file.slice();
    changed[at] ^= 4;
    await expect(bgzfDecompress(changed)).rejects.toMatchObject({ name: 'FormatError', format: 'bgzf', offset: 0 });
  }
  process.getBuiltinModule = hidden;
  expect(gunzipSync(file).equals(text)).toBe(true);
  const byZlib = await bgzfCompress(text);
  hide();
  expect(Buffer.from(await bgzfDecompress(byZlib)).equals(text)).toBe(true);
});

test('the inflater sums up without zlib', () => {
  hide();
  const inflate = inflater()!;
  for (const length of [0, 1, 15, 16, 17, 1000, 65_535, 65_536]) {
    const part = Uint8Array.from(text.subarray(0, length));
    const data = deflateRawSync(part);
    const inflated = new Uint8Array(length);
    expect(inflate(data, 0, data.length, inflated, 0, length, crc32(part) ^ 1)).toBe(false);
    expect(inflate(data, 0, data.length, inflated, 0, length, crc32(part))).toBe(true);
    expect(Buffer.from(inflated).equals(part)).toBe(true);
  }
});

test('a File of BGZF: records, random access', async () => {
  hide();
  const file = new File([(await bgzfCompress(text)) as BlobPart], 'a.fa.gz');
  const names = [];
  for await (const { name, sequence } of readFasta(file)) names.push([name, sequence.length]);
  expect(names).toEqual([['a', 144_000], ['b', 7]]);
  expect(Buffer.from(await openFasta(file).fetch('b', 1, 5, { strand: '-' })).toString()).toBe('TAAT');
});

test('a path says that there is no file system', async () => {
  hide();
  expect(() => openFasta('a.fa')).toThrow(/there is no file system here; pass a File/);
});
