import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { FormatError, readFasta, reverseComplement } from '../src/index';
import { gunzipPortable } from '../src/gunzip';
import { yeastTetramers } from '../src/simulate/yeastTetramers';
import { describeWithShared, shared } from './sharedData';

/** The obvious way, for files small enough: split into lines, then into records. */
function readByLines(bytes: Buffer) {
  return bytes.toString('utf8').split(/^>/m).slice(1).map((record) => {
    const [header, ...lines] = record.split('\n');
    return { name: header.trim().split(/\s/)[0], sequence: lines.join('').replace(/\s/g, '') };
  });
}
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

describeWithShared('FormatSpecimens', 'formats/FormatSpecimens/FASTA', () => {
  const folder = shared('formats/FormatSpecimens/FASTA');
  const index = readFileSync(`${folder}/index.toml`, 'utf8');
  const specimens = [...index.matchAll(/\[\[(valid|invalid)\]\]\s+filename = "([^"]+)"/g)].map(([, verdict, file]) => [verdict, file]);

  test.each(specimens.filter(([verdict]) => verdict === 'valid'))('%s: %s', async (_, file) => {
    const records: { name: string; sequence: string }[] = [];
    for await (const { name, sequence } of readFasta(`${folder}/${file}`)) records.push({ name, sequence: Buffer.from(sequence).toString() });
    expect(records.length).toBeGreaterThan(0);
    expect(records).toEqual(readByLines(readFileSync(`${folder}/${file}`)));
  });

  test.each(specimens.filter(([verdict]) => verdict === 'invalid'))('%s: %s', async (_, file) => {
    await expect(async () => { for await (const { name } of readFasta(`${folder}/${file}`)) void name; }).rejects.toThrow(FormatError);
  });
});

describeWithShared('the yeast genome', 'genomes/yeast/R64-1-1.genome.fa.gz', () => {
  const path = shared('genomes/yeast/R64-1-1.genome.fa.gz');

  test('17 chromosomes of 12,157,105 bases, equal to a reading by lines; the other strand twice is the same', async () => {
    const expected = readByLines(gunzipSync(readFileSync(path)));
    let count = 0;
    let bases = 0;
    for await (const { name, sequence } of readFasta(path)) {
      expect(name).toBe(expected[count].name);
      expect(md5(sequence)).toBe(md5(Buffer.from(expected[count++].sequence)));
      bases += sequence.length;
      expect(md5(reverseComplement(reverseComplement(sequence)))).toBe(md5(sequence));
    }
    expect([count, bases]).toEqual([17, 12_157_105]);
  });

  test('the background of the simulator is what this genome holds', async () => {
    const counts = new Array<number>(256).fill(0);
    for await (const { name, sequence } of readFasta(path)) {
      if (name === 'MT') continue;
      for (const strand of [sequence, reverseComplement(sequence)]) {
        const text = Buffer.from(strand).toString();
        for (let at = 0; at + 4 <= text.length; at++) counts[[...text.slice(at, at + 4)].reduce((index, letter) => 4 * index + 'ACGT'.indexOf(letter), 0)]++;
      }
    }
    expect(counts).toEqual(yeastTetramers);
  });

  test('fflate and zlib give the same bytes', async () => {
    const hash = createHash('md5');
    const file = readFileSync(path);
    async function* pieces() { for (let at = 0; at < file.length; at += 50_001) yield file.subarray(at, at + 50_001); }
    for await (const chunk of gunzipPortable(pieces())) hash.update(chunk);
    expect(hash.digest('hex')).toBe(md5(gunzipSync(file)));
  });
});

describeWithShared('one file, plain and BGZF', 'genomes/human/genome.fasta.gz', () => {
  test('the same records', async () => {
    const read = async (file: string) => { const list = []; for await (const record of readFasta(shared(file))) list.push(record); return list; };
    expect(await read('genomes/human/genome.fasta.gz')).toEqual(await read('genomes/human/genome.fasta'));
  });
});
