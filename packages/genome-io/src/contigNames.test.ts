import { groupByContig, parseAliases } from './contigNames';
import { fetchIntervals } from './fetchIntervals';
import { openFasta } from './openFasta';
import { readBed } from './bed';

const bytes = (text: string) => new TextEncoder().encode(text);
const reference = openFasta(bytes('>chrI\nACGTT\nGCA\n>chrII\nTTTT\n'));
const collect = async (bed: string, options?: Parameters<typeof fetchIntervals>[2]) => {
  const texts: string[] = [];
  for await (const { interval, sequence } of fetchIntervals(reference, readBed(bytes(bed)), options)) texts.push(`${interval.name} ${new TextDecoder().decode(sequence)}`);
  return texts;
};

test('aliases: two columns, comments, and what is no table', () => {
  expect({ ...parseAliases('# vcf reference\nI\tchrI\r\nII chrII\n\n') }).toEqual({ I: 'chrI', II: 'chrII' });
  expect(() => parseAliases('I\n')).toThrow(expect.objectContaining({ name: 'FormatError', format: 'aliases', line: 1 }));
  expect(() => parseAliases('I a\nI b\n')).toThrow(/line 2/);
  expect(parseAliases('__proto__ a\n')['__proto__']).toBe('a');
});

test('contigs that do not meet are an error that says what the other side is called', async () => {
  const known = ['chrI', 'chrII'];
  await expect(groupByContig([{ contig: 'I' }], known)).rejects.toThrow(/2 contigs \(chrI, chrII\), got "I"; this file calls it "chrI": pass aliases/);
  expect([...await groupByContig([{ contig: 'I' }, { contig: 'chrI' }], known, { I: 'chrI' })].map(([name, list]) => [name, list.length])).toEqual([['chrI', 2]]);
});

test('the sequences of a BED, in its order, with strands, however many are under way', async () => {
  const bed = 'chrI\t0\t3\ta\t0\t-\nchrII\t1\t3\tb\nchrI\t4\t8\tc\t0\t+\n';
  for (const ahead of [1, 2, 9]) expect(await collect(bed, { ahead })).toEqual(['a CGT', 'b TT', 'c TGCA']);
  expect(await collect(bed, { strands: 'ignore' })).toEqual(['a ACG', 'b TT', 'c TGCA']);
  expect(await collect('I 6 99 a\n', { aliases: { I: 'chrI' }, clamp: true })).toEqual(['a CA']);
  await expect(collect('I 0 1\n')).rejects.toThrow(/pass aliases|chrI/);
  await expect(collect('chrI 6 99\n')).rejects.toThrow(/clamp/);
});
