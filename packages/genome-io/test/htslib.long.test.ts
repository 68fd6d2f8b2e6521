import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { bgzfCompress, bgzfDecompress, createFastaIndex, createGzi, openBgzf, openFasta, parseFai, parseGzi, readFasta, serializeFai, serializeGzi } from '../src/index';
import { describeWithShared, describeWithTool, shared } from './sharedData';

const read = (path: string) => readFileSync(shared(path));

describeWithShared('.gzi and BGZF of other programs', 'formats/bgzf-filehandle', () => {
  test.each(['formats/bgzf-filehandle/T_ko.2bit.gz', 'formats/bgzf-filehandle/gff3_with_syncs.gff3.gz', 'formats/indexedfasta-js/end.fa.gz', 'formats/indexedfasta-js/phi-X174.fa.gz', 'formats/indexedfasta-js/volvox.fa.gz', 'genomes/human/genome.fasta.gz'])('%s: text, index bytes, random access', async (path) => {
    const file = read(path);
    const gzi = read(`${path}.gzi`);
    const text = gunzipSync(file);
    expect(Buffer.from(serializeGzi(await createGzi(file))).equals(gzi)).toBe(true);
    expect(Buffer.from(serializeGzi(parseGzi(gzi))).equals(gzi)).toBe(true);
    expect(Buffer.from(await bgzfDecompress(file)).equals(text)).toBe(true);
    const opened = openBgzf(shared(path), { gzi: shared(`${path}.gzi`) });
    for (let position = 0; position < text.length; position += 9973) expect(Buffer.from(await opened.read(500, position)).equals(text.subarray(position, position + 500))).toBe(true);
    expect(await opened.stat()).toEqual({ size: text.length });
    await opened.close();
  });

  test.each(['formats/biopython/Quality/example.fastq.bgz', 'formats/biopython/Quality/example_dos.fastq.bgz', 'formats/bgzf-filehandle/bgzip-1.txt.gz', 'vcf/kgp/1000GP.chr22.vcf.gz'])('%s: the text that zlib finds', async (path) => {
    expect(Buffer.from(await bgzfDecompress(shared(path))).equals(gunzipSync(read(path)))).toBe(true);
  });
});

describeWithTool('bgzip', () => { // not of an empty text: there bgzip 1.16 writes -1 as the count
  let folder: string;
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'genome-io-')); });
  afterAll(() => rmSync(folder, { recursive: true }));
  test.each([1, 65_280, 65_281, 1_000_000])('reads what bgzfCompress writes and indexes it alike, also with empty blocks in front and between: %i bytes', async (length) => {
    const text = Buffer.from(Array.from({ length }, (_, i) => 'ACGT'.charCodeAt((i * i + (i >> 3)) & 3)));
    const one = await bgzfCompress(text);
    for (const [name, parts] of [['one', [one]], ['two', [one, one]], ['emptyFirst', [await bgzfCompress(new Uint8Array(0)), one]]] as const) {
      const path = join(folder, `${name}.gz`);
      writeFileSync(path, Buffer.concat(parts));
      execFileSync('bgzip', ['-t', path]);
      execFileSync('bgzip', ['-r', path]);
      expect([name, Buffer.from(serializeGzi(await createGzi(path))).toString('hex')]).toEqual([name, readFileSync(`${path}.gzi`).toString('hex')]);
      expect(execFileSync('bgzip', ['-dc', path], { maxBuffer: 1 << 26 }).equals(gunzipSync(Buffer.concat(parts)))).toBe(true);
    }
  });
});

describeWithShared('.fai of other programs', 'formats/indexedfasta-js', () => {
  test.each([
    // The rows beside end.fa.gz and no-newline.fa are not what samtools 1.16 writes for them (it agrees with ours).
    ...['end.fa', 'foo.fa', 'out2.fa', 'out2.long.fa', 'phi-X174-with-gi.fa', 'phi-X174.fa', 'volvox.2bit.fa', 'volvox.fa', 'volvox.fa.gz'].map((name) => `formats/indexedfasta-js/${name}`),
    'genomes/human/genome.fasta', 'genomes/human/genome.fasta.gz', 'genomes/phage/phi-X174.fa', 'genomes/sarscov2/genome.fasta',
  ])('%s: the same rows, and every record fetched through them equals the one read', async (path) => {
    const fai = read(`${path}.fai`).toString();
    expect(serializeFai(await createFastaIndex(shared(path)))).toBe(fai);
    expect(serializeFai(parseFai(fai))).toBe(fai);
    const opened = openFasta(shared(path), { fai: shared(`${path}.fai`) });
    for await (const { name, sequence } of readFasta(shared(path))) {
      expect(Buffer.from(await opened.fetch(name)).equals(sequence)).toBe(true);
      const third = Math.floor(sequence.length / 3);
      expect(Buffer.from(await opened.fetch(name, third, 2 * third)).equals(sequence.subarray(third, 2 * third))).toBe(true);
    }
    await opened.close();
  });
});

describeWithTool('samtools', () => {
  let folder: string;
  let path: string;
  const samtools = (...args: string[]) => execFileSync('samtools', args, { maxBuffer: 1 << 28 }).toString();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'genome-io-'));
    path = join(folder, 'yeast.fa');
    writeFileSync(path, gunzipSync(read('genomes/yeast/R64-1-1.genome.fa.gz')));
    writeFileSync(`${path}.gz`, await bgzfCompress(path));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  test('the yeast genome, plain and BGZF: .fai, .gzi, and 200 intervals on both strands', async () => {
    for (const file of [path, `${path}.gz`]) {
      const made = openFasta(file);
      const contigs = await made.contigs();
      samtools('faidx', file);
      expect(serializeFai(contigs)).toBe(readFileSync(`${file}.fai`, 'utf8'));
      const opened = openFasta(file);
      const intervals = Array.from({ length: 200 }, (_, i) => {
        const { name, length } = contigs[(i * 7) % contigs.length];
        const start = (i * 7919 * 104729) % length;
        return { name, start, end: Math.min(length, start + 1 + ((i * i * 37) % 3000)) };
      });
      for (const strand of ['+', '-'] as const) {
        const expected = samtools('faidx', ...(strand === '-' ? ['-i'] : []), file, ...intervals.map(({ name, start, end }) => `${name}:${start + 1}-${end}`)).split(/^>.*\n/m).slice(1).map((text) => text.replace(/\n/g, ''));
        for (const [i, { name, start, end }] of intervals.entries()) expect(Buffer.from(await opened.fetch(name, start, end, { strand })).toString()).toBe(expected[i]);
      }
      await made.close();
      await opened.close();
    }
    expect(Buffer.from(serializeGzi(await createGzi(`${path}.gz`))).equals(readFileSync(`${path}.gz.gzi`))).toBe(true);
  });
});
