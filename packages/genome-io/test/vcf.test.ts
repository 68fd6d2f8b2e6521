import { readdirSync } from 'node:fs';
import { readGff, readVcf } from '../src/index';
import { describeWithShared, shared } from './sharedData';

const count = async (path: string, validate: boolean) => {
  let records = 0;
  for await (const record of readVcf(path, { validate })) records += record.alt.length >= 0 ? 1 : 0;
  return records;
};

describeWithShared('the VCF test files of hts-specs', 'formats/hts-specs_vcf/4.2', () => {
  const folder = shared('formats/hts-specs_vcf/4.2');
  test.each(readdirSync(`${folder}/passed`))('passed/%s is accepted', (file) => count(`${folder}/passed/${file}`, true));
  test.each(readdirSync(`${folder}/failed`))('failed/%s is refused with its line', async (file) => {
    const failure = await count(`${folder}/failed/${file}`, true).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'FormatError', format: 'vcf' });
    expect((failure as { line: number }).line).toBeGreaterThan(0);
  });
});

describeWithShared('VCF files of other projects', 'formats/vcf-js', () => {
  test.each(['formats/vcf-js', 'vcf/whatshap'].flatMap((folder) => readdirSync(shared(folder)).filter((file) => /\.vcf(\.gz)?$/.test(file)).map((file) => `${folder}/${file}`)))('%s is read', async (file) => {
    for await (const record of readVcf(shared(file))) {
      expect(record.end).toBeGreaterThan(record.start);
      for (const key of record.infoKeys) expect(record.info(key)).toBeDefined();
      for (let sample = 0; sample < record.header.samples.length && sample < 5; sample++) record.genotype(sample);
    }
  });
  test.each(['formats/vcf-js/vcf4.3_spec_snippet.vcf', 'formats/vcf-js/1000genomes.vcf', 'formats/vcf-js/vcf44_spec.vcf'])('%s passes validation', async (file) => {
    expect(await count(shared(file), true)).toBeGreaterThan(0);
  });
});

describeWithShared('GFF3 files of other projects', 'genomes/yeast/yeast_chr1+2.gff3.gz', () => {
  test.each([['genomes/yeast/yeast_chr1+2.gff3.gz', 1000], ['genomes/sarscov2/genome.gff3', 20], ['genomes/orf_golden/SRR492066.meta.gff', 70], ['formats/bgzf-filehandle/gff3_with_syncs.gff3', 5]] as const)('%s is read, %i features or more', async (file, least) => {
    let features = 0;
    for await (const { start, end } of readGff(shared(file))) features += end > start ? 1 : 0;
    expect(features).toBeGreaterThanOrEqual(least);
  });
});
