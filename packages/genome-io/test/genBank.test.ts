import { featureSequence, readFasta, readGenBank, translate, type FastaRecord, type GenBankRecord } from '../src/index';
import { describeWithShared, shared } from './sharedData';

const readAll = async <T>(records: AsyncIterable<T>): Promise<T[]> => { const list: T[] = []; for await (const record of records) list.push(record); return list; };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString().toUpperCase();

describeWithShared('GenBank entries beside the FASTA files of the same', 'genomes/genbank', () => {
  test.each([['genbank/NC_005816.gb', 'genbank/NC_005816.fna'], ['mito/MW539688.1.gb', 'mito/MW539688.1.fasta'], ['sarscov2/ncov_reference_seq.gb', 'sarscov2/ncov_reference_seq.fasta']])('%s: the bases of %s', async (entry, fasta) => {
    const [record] = await readAll<GenBankRecord>(readGenBank(shared(`genomes/${entry}`)));
    const [{ sequence }] = await readAll<FastaRecord>(readFasta(shared(`genomes/${fasta}`)));
    expect(text(record.sequence)).toBe(text(sequence));
    expect(record.features.length).toBeGreaterThan(5);
  });

  test('NC_005816: coding sequences as NCBI cut them, and their translations', async () => {
    const [record] = await readAll<GenBankRecord>(readGenBank(shared('genomes/genbank/NC_005816.gb')));
    const genes = await readAll<FastaRecord>(readFasta(shared('genomes/genbank/NC_005816.ffn')));
    const coding = record.features.filter(({ type }) => type === 'CDS');
    expect(coding.map((feature) => text(featureSequence(record, feature)))).toEqual(genes.map(({ sequence }) => text(sequence)));
    for (const feature of coding) expect(Buffer.from(translate(featureSequence(record, feature), { table: 11, toStop: true, startIsMethionine: true })).toString()).toBe(feature.qualifiers.get('translation')![0]);
  });
});
