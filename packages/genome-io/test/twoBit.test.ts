import { readFileSync } from 'node:fs';
import { openTwoBit, readFasta, writeTwoBit } from '../src/index';
import { describeWithShared, shared } from './sharedData';

const pairs = [
  ...['foo', 'volvox', 'empty'].map((name) => [`formats/twobit-js/${name}.2bit`, `formats/twobit-js/${name}.2bit.fa`]),
  ['formats/twobit-js/volvox.long.2bit', 'formats/twobit-js/volvox.2bit.fa'], ['formats/twobit-js/T_ko.2bit', 'formats/twobit-js/T_ko.2bit.fa.gz'],
  ['formats/twobit-js/out2.2bit', 'formats/twobit-js/out2.fa'], ['formats/twobit-js/out2.long.2bit', 'formats/twobit-js/out2.fa'],
  ...['bigendian', 'littleendian', 'long'].map((name) => [`formats/biopython/TwoBit/sequence.${name}.2bit`, 'formats/biopython/TwoBit/sequence.fa']),
];

describeWithShared('2bit files and what twoBitToFa makes of them', 'formats/twobit-js', () => {
  test.each(pairs)('%s equals %s', async (twoBit, fasta) => {
    const file = openTwoBit(shared(twoBit));
    const contigs = await file.contigs();
    const records = [];
    for await (const record of readFasta(shared(fasta))) records.push(record);
    const expected = records.slice(0, contigs.length);
    for (const { name, sequence } of expected.filter((_, i) => i < 500)) {
      expect(Buffer.from(await file.fetch(name)).toString()).toBe(Buffer.from(sequence).toString());
      expect(Buffer.from(await file.fetch(name, 3, sequence.length + 3, { clamp: true })).equals(sequence.subarray(3))).toBe(true);
    }
    expect(contigs).toEqual(expected.map(({ name, sequence }) => ({ name, length: sequence.length })));
    await file.close();
  });

  test.each([['foo', true, 0], ['volvox', true, 0], ['volvox.long', true, 1], ['T_ko', true, 0], ['empty', true, 0]] as const)('%s.2bit is written again byte for byte', async (name, littleEndian, version) => {
    const file = openTwoBit(shared(`formats/twobit-js/${name}.2bit`));
    const records = await Promise.all((await file.contigs()).map(async (contig) => ({ name: contig.name, sequence: await file.fetch(contig.name) })));
    expect(Buffer.from(await writeTwoBit(records, { littleEndian, version })).equals(readFileSync(shared(`formats/twobit-js/${name}.2bit`)))).toBe(true);
  });

  test.each(['eboVir3', 'testMask', 'testN'])('%s.2bit of FormatSpecimens is read', async (name) => {
    const file = openTwoBit(shared(`formats/FormatSpecimens/2bit/${name}.2bit`));
    for (const { name: contig, length } of await file.contigs()) expect((await file.fetch(contig)).length).toBe(length);
  });
});
