import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { bgzfCompress, openVcf, readVcf } from '../src/index';
import { describeWithShared, describeWithTool, shared } from './sharedData';

const lines = async (records: AsyncIterable<{ toString(): string }>) => { const list = []; for await (const record of records) list.push(record.toString()); return list; };

describeWithShared('the .csi of a part of chromosome 22', 'vcf/kgp/1000GP.chr22.vcf.gz.csi', () => {
  test('every query equals a filter of all records', async () => {
    const path = shared('vcf/kgp/1000GP.chr22.vcf.gz');
    const all: { start: number; end: number; text: string }[] = [];
    for await (const record of readVcf(path)) all.push({ start: record.start, end: record.end, text: record.toString() });
    const file = openVcf(path, { index: `${path}.csi` });
    for (const [start, end] of [[0, 2 ** 29], [16_570_064, 16_570_065], [16_570_065, 16_570_066], [16_575_000, 16_576_000], [16_600_000, 16_600_000], [17_000_000, 18_000_000], [0, 100]]) {
      expect(await lines(file.query('chr22', start, end))).toEqual(all.filter((record) => record.start < end && record.end > start && start < end).map(({ text }) => text));
    }
    await expect(lines(file.query('22', 0, 1000))).rejects.toThrow(/got "22"; this file calls it "chr22"/);
    await expect(lines(file.query('chr22', 5, 4))).rejects.toThrow(RangeError);
    await file.close();
  });
});

describeWithShared('damaged indexes', 'vcf/kgp/1000GP.chr22.vcf.gz.csi', () => {
  test('2,000 of them end in records or in a FormatError', async () => {
    const file = await bgzfCompress(gunzipSync(readFileSync(shared('vcf/kgp/1000GP.chr22.vcf.gz'))).subarray(0, 40_000));
    const index = gunzipSync(readFileSync(shared('vcf/kgp/1000GP.chr22.vcf.gz.csi')));
    for (let i = 0; i < 2000; i++) {
      const damaged = Buffer.from(i % 4 === 0 ? index.subarray(0, (i / 4) % index.length) : index);
      if (i % 4 !== 0) damaged[(i * 31) % damaged.length] ^= 1 << (i % 8);
      const reading = lines(openVcf(file, { index: await bgzfCompress(damaged) }).query('chr22', 0, 2 ** 29));
      const failure = await reading.then(() => undefined, (error: unknown) => error);
      if (failure !== undefined) expect(failure).toMatchObject({ name: 'FormatError' });
    }
  });
});

describeWithTool('bcftools', () => {
  let folder: string;
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'genome-io-')); });
  afterAll(() => rmSync(folder, { recursive: true }));
  test('.tbi and .csi of many contigs, long and short records, blocks of every size', async () => {
    const rows: string[] = [];
    for (let contig = 0; contig < 5; contig++) for (let i = 0; i < 3000; i++) {
      const start = i * (1 + contig * 97) + 1;
      rows.push(i % 50 === 0 ? `c${contig}\t${start}\t.\tA\t<DEL>\t.\t.\tEND=${start + 30_000 * (i % 7)}` : `c${contig}\t${start}\t.\t${'ACGT'.repeat(1 + (i % 3))}\tA\t.\t.\tDP=${i}`);
    }
    const head = ['##fileformat=VCFv4.2', '##INFO=<ID=END,Number=1,Type=Integer,Description="e">', '##INFO=<ID=DP,Number=1,Type=Integer,Description="d">', '##ALT=<ID=DEL,Description="d">', ...[0, 1, 2, 3, 4].map((i) => `##contig=<ID=c${i},length=2000000>`), '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO'];
    const parts = [];
    const text = Buffer.from([...head, ...rows, ''].join('\n'));
    for (let at = 0, i = 1; at < text.length; i++) { // bcftools knows the format by the first block
      const length = 1 + ((i * 7919) % 60_000) * (i % 3 === 0 ? 0 : 1);
      parts.push((await bgzfCompress(text.subarray(at, at + length))).subarray(0, -28));
      at += length;
    }
    const path = join(folder, 'a.vcf.gz');
    writeFileSync(path, Buffer.concat([...parts, await bgzfCompress(new Uint8Array(0))]));
    expect(gunzipSync(readFileSync(path)).equals(text)).toBe(true);
    execFileSync('bcftools', ['index', '-t', path]);
    execFileSync('bcftools', ['index', '-c', path]);
    for (const suffix of ['tbi', 'csi']) {
      const file = openVcf(path, { index: `${path}.${suffix}` });
      for (let i = 0; i < 60; i++) {
        const contig = `c${i % 5}`;
        const start = (i * 104_729) % 300_000;
        const end = start + 1 + ((i * i * 37) % 40_000);
        const expected = execFileSync('bcftools', ['view', '-H', '-r', `${contig}:${start + 1}-${end}`, path], { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] }).toString().split('\n').filter(Boolean);
        expect(await lines(file.query(contig, start, end))).toEqual(expected);
      }
    }
  });
});
