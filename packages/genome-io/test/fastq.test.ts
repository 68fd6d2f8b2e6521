import { readFileSync, readdirSync } from 'node:fs';
import { convertQuality, readFastq, type FastqRecord, type QualityEncoding } from '../src/index';
import { describeWithShared, shared } from './sharedData';

const readAll = async (path: string, encoding: QualityEncoding) => {
  const records: FastqRecord[] = [];
  for await (const record of readFastq(path, { encoding })) records.push(record);
  return records;
};
const encodingOf = (file: string): QualityEncoding => (/illumina(_faked)?\.fastq$/.test(file) ? 'illumina-1.3' : /solexa(_example|_faked)?\.fastq$/.test(file) ? 'solexa' : 'sanger');

describeWithShared('the FASTQ suite of the Open Bioinformatics Foundation (Cock et al. 2010)', 'formats/biopython/Quality', () => {
  const folder = shared('formats/biopython/Quality');
  const files = readdirSync(folder).filter((file) => file.endsWith('.fastq'));

  test.each(files.filter((file) => file.startsWith('error_')))('%s is refused in every encoding, with its line', async (file) => {
    const lines = readFileSync(`${folder}/${file}`, 'latin1').split('\n').length;
    for (const encoding of ['sanger', 'illumina-1.3', 'solexa'] as const) {
      const failure = await readAll(`${folder}/${file}`, encoding).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'FormatError', format: 'fastq' });
      expect((failure as { line: number }).line).toBeGreaterThan(0);
      expect((failure as { line: number }).line).toBeLessThanOrEqual(lines);
    }
  });

  test.each(files.filter((file) => !file.startsWith('error_')))('%s is read', async (file) => {
    const records = await readAll(`${folder}/${file}`, encodingOf(file));
    expect(records.length).toBeGreaterThan(0);
    for (const { sequence, quality } of records) expect(quality.length).toBe(sequence.length);
  });

  const originals = files.map((file) => /^(.*)_original_(sanger|solexa|illumina)\.fastq$/.exec(file)).filter((match) => match !== null);
  test.each(originals.flatMap(([file, stem, from]) => ['sanger', 'solexa', 'illumina'].map((to) => [file, `${stem}_as_${to}.fastq`, from, to])))('%s converted is %s', async (original, converted, from, to) => {
    const named = (name: string) => (name === 'illumina' ? 'illumina-1.3' : name) as QualityEncoding;
    const expected = await readAll(`${folder}/${converted}`, named(to));
    const got = (await readAll(`${folder}/${original}`, named(from))).map((record) => ({ ...record, quality: convertQuality(record.quality, named(from), named(to)) }));
    expect(got).toEqual(expected);
  });
});

describeWithShared('FASTQ of FormatSpecimens', 'formats/FormatSpecimens/FASTQ', () => {
  const folder = shared('formats/FormatSpecimens/FASTQ');
  const specimens = [...readFileSync(`${folder}/index.toml`, 'utf8').matchAll(/\[\[(valid|invalid)\]\]\s+filename = "([^"]+)"/g)].map(([, verdict, file]) => [verdict, file]);
  test.each(specimens)('%s: %s', async (verdict, file) => {
    const reading = readAll(`${folder}/${file}`, encodingOf(file));
    if (verdict === 'invalid') await expect(reading).rejects.toMatchObject({ name: 'FormatError' });
    else expect((await reading).length).toBeGreaterThan(0);
  });
});
