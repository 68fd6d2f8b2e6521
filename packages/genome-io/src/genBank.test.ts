import { featureSequence, readGenBank, type GenBankRecord } from './genBank';

const entry = (features: string, { bases = 'acgtacgtac', length, topology = 'circular' }: { bases?: string; length?: number; topology?: string } = {}) => new TextEncoder().encode(`LOCUS       TEST ${length ?? bases.length} bp    DNA     ${topology} BCT 21-JUL-2008\nDEFINITION  A small one,\n            in two lines.\nACCESSION   T_1 T_2\nVERSION     T_1.2  GI:1\nSOURCE      x\n  ORGANISM  Homo sapiens\n            Eukaryota; Metazoa.\nFEATURES             Location/Qualifiers\n${features}ORIGIN\n        1 ${bases.slice(0, 6)} ${bases.slice(6)}\n//\n`);
const readAll = async (source: Uint8Array) => { const list: GenBankRecord[] = []; for await (const record of readGenBank(source)) list.push(record); return list; };
const feature = (type: string, location: string, ...qualifiers: string[]) => `     ${type.padEnd(16)}${location}\n${qualifiers.map((text) => `                     ${text}\n`).join('')}`;

test('header, features, qualifiers over several lines, sequence', async () => {
  const [record, second] = await readAll(new Uint8Array([...entry(feature('CDS', 'join(1..3,', '5..7)', '/gene="a ""b"""', '/note="one', '/two"', '/translation="MK', 'LV"', '/pseudo', '/codon_start=1', '/db_xref="X:1"', '/db_xref="X:2"')), ...entry('')]));
  expect([record.name, record.accession, record.version, record.definition, record.organism, record.isCircular, new TextDecoder().decode(record.sequence)]).toEqual(['TEST', 'T_1', 'T_1.2', 'A small one, in two lines', 'Homo sapiens', true, 'acgtacgtac']);
  const [cds] = record.features;
  expect([cds.type, cds.location, cds.line]).toEqual(['CDS', 'join(1..3,5..7)', 10]);
  expect([...cds.qualifiers]).toEqual([['gene', ['a "b"']], ['note', ['one /two']], ['translation', ['MKLV']], ['pseudo', ['']], ['codon_start', ['1']], ['db_xref', ['X:1', 'X:2']]]);
  expect(new TextDecoder().decode(featureSequence(record, cds))).toBe('acgacg');
  expect(second.features).toEqual([]);
});

// The examples of the feature table definition, section 3.4.3.
test.each([
  ['467', [[466, 467, '+', '']]], ['340..565', [[339, 565, '+', '']]], ['<345..500', [[344, 500, '+', '<']]], ['<1..888', [[0, 888, '+', '<']]], ['1..>888', [[0, 888, '+', '>']]], ['102.110', [[101, 110, '+', '']]], ['123^124', [[123, 123, '+', '']]],
  ['join(12..78,134..202)', [[11, 78, '+', ''], [133, 202, '+', '']]], ['complement(34..126)', [[33, 126, '-', '']]], ['complement(join(2691..4571,4918..5163))', [[4917, 5163, '-', ''], [2690, 4571, '-', '']]], ['join(complement(4918..5163),complement(2691..4571))', [[4917, 5163, '-', ''], [2690, 4571, '-', '']]],
  ['join(1..100,J00194.1:100..202)', [[0, 100, '+', ''], [99, 202, '+', 'J00194.1']]], ['order(1..2,complement(4..5))', [[0, 2, '+', ''], [3, 5, '-', '']]],
] as const)('the location %s', async (location, expected) => {
  const [{ features: [{ spans, isJoined }] }] = await readAll(entry(feature('misc', location)));
  expect(spans.map(({ start, end, strand, openStart, openEnd, accession }) => [start, end, strand, `${openStart ? '<' : ''}${openEnd ? '>' : ''}${accession ?? ''}`])).toEqual(expected);
  expect(isJoined).toBe(!location.startsWith('order'));
});

test.each([
  ['a location that is none', entry(feature('gene', '5..x')), 10], ['an end before its start', entry(feature('gene', '5..3'), { topology: 'linear' }), 10], ['an end before its start in another entry', entry(feature('gene', 'J1.1:5..3')), 10], ['a start beyond the origin', entry(feature('gene', '12..3')), 10], ['other than LOCUS says', entry('', { length: 11 }), 12], ['bytes that are no bases', entry('', { bases: 'ac?tacgtac' }), 11], ['a missing end', entry('').subarray(0, -3), 11], ['LOCUS without a length', new TextEncoder().encode('LOCUS x\n'), 1],
] as const)('%s is an error', async (_, source, line) => {
  await expect(readAll(source)).rejects.toMatchObject({ name: 'FormatError', format: 'genbank', line });
});

test('on a circular molecule 9..2 goes through the origin, as programs for plasmids write it', async () => {
  const [record] = await readAll(entry(feature('gene', 'complement(<9..2)')));
  expect(record.features[0].spans).toEqual([{ start: 0, end: 2, strand: '-', openStart: false, openEnd: false, accession: undefined }, { start: 8, end: 10, strand: '-', openStart: true, openEnd: false, accession: undefined }]);
  expect(new TextDecoder().decode(featureSequence(record, record.features[0]))).toBe('gtgt'); // of acac
});

test('spans of another entry are told', async () => {
  const [record] = await readAll(entry(feature('gene', 'J1.1:1..3')));
  expect(() => featureSequence(record, record.features[0])).toThrow(/got J1\.1:1\.\.3; fetch the other entry/);
});

test('what other programs and older releases write', async () => {
  const entry = (locus: string, organism: string, ...features: string[]) => `LOCUS       ${locus}\nSOURCE      it\n  ORGANISM  ${organism}\nFEATURES             Location/Qualifiers\n${features.join('\n')}\n//\n`;
  const all = [
    entry('A 300 bp ds-DNA SYN', 'synthetic construct\n            other sequences; artificial sequences.', '     misc            (23.45)..(50.60)', '     gene            one-of(10,20)..90'),
    entry('AAAA02000000           50231 rc    DNA     linear   PLN 08-FEB-2005', 'Influenza A virus (A/a long name\n            (H1N1))\n            Viruses; ssRNA viruses.', '     a_key_of_more_than_15 complement(AB_1.2:5..>8)'),
    entry('NP_034640                60 aa            linear   ROD 01-JUN-2009', 'Unknown.\n            Unclassified.', '     Bond            bond(29,58)'),
  ].join('');
  const records = [];
  for await (const record of readGenBank(new TextEncoder().encode(all))) records.push(record);
  expect(records.map(({ name, organism }) => [name, organism])).toEqual([['A', 'synthetic construct'], ['AAAA02000000', 'Influenza A virus (A/a long name (H1N1))'], ['NP_034640', 'Unknown.']]);
  const spans = records.flatMap(({ features }) => features.map(({ type, isJoined, spans: of }) => [type, isJoined, ...of.map(({ start, end, strand, openEnd, accession }) => [start, end, strand, openEnd, accession])]));
  expect(spans).toEqual([ // as Biopython 1.80 reads them, all but the key
    ['misc', true, [22, 60, '+', false, undefined]], ['gene', true, [9, 90, '+', false, undefined]],
    ['a_key_of_more_than_15', true, [4, 8, '-', true, 'AB_1.2']],
    ['Bond', false, [28, 29, '+', false, undefined], [57, 58, '+', false, undefined]],
  ]);
});
