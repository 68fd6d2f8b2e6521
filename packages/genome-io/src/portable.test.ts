// As in a browser: Node's own modules are hidden, fflate and plain JavaScript do the work.
import { gunzipSync } from 'node:zlib';
import { bgzfCompress, bgzfDecompress } from './bgzf';
import { readFasta } from './fasta';
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
