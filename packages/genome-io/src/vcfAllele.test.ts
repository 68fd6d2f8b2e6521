import { parseAllele } from './vcfAllele';
import { readVcf, type VcfRecord } from './vcf';

const file = (version: string, rows: readonly string[], meta: readonly string[] = [], samples = 's') => new TextEncoder().encode([`##fileformat=VCFv${version}`, ...meta, `#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t${samples}`, ...rows.map((row) => row.split(' ').join('\t')), ''].join('\n'));
const readAll = async (source: Uint8Array, validate = false) => { const list: VcfRecord[] = []; for await (const record of readVcf(source, { validate })) list.push(record); return list; };

// The four joins of the specification's table (section 5.4), with its words.
test.each([
  ['G[17:198983[', 'after', 'right', false], ['G]17:198982]', 'after', 'left', true], [']13:123456]T', 'before', 'left', false], ['[17:198983[A', 'before', 'right', true],
] as const)('%s', (text, joined, extends_, reverseComplemented) => {
  const [, contig, position] = /(\d+):(\d+)/.exec(text)!;
  expect(parseAllele(text)).toEqual({ kind: 'breakend', bases: /[GTA]/.exec(text)![0], joined, mate: { contig, inAssembly: false, start: Number(position) - 1, extends: extends_, reverseComplemented } });
});

test.each([
  ['ACGN', { kind: 'sequence', bases: 'ACGN' }], ['*', { kind: 'overlappingDeletion' }], ['<*>', { kind: 'unspecified' }], ['<NON_REF>', { kind: 'unspecified' }],
  ['<DUP:TANDEM>', { kind: 'symbolic', id: 'DUP:TANDEM', type: 'DUP', subtypes: ['TANDEM'] }], ['AGTNNNNNCA[<ctg1>:1[', { kind: 'breakend', bases: 'AGTNNNNNCA', joined: 'after', mate: { contig: 'ctg1', inAssembly: true, start: 0, extends: 'right', reverseComplemented: false } }],
  ['.[13:123457[', { kind: 'breakend', bases: '.', joined: 'after', mate: { contig: '13', inAssembly: false, start: 123456, extends: 'right', reverseComplemented: false } }],
  ['C[HLA-A*01:01:5[', { kind: 'breakend', bases: 'C', joined: 'after', mate: { contig: 'HLA-A*01:01', inAssembly: false, start: 4, extends: 'right', reverseComplemented: false } }],
  ['G.', { kind: 'breakend', bases: 'G', joined: 'after', mate: undefined }], ['.AC', { kind: 'breakend', bases: 'AC', joined: 'before', mate: undefined }],
  ['A[1:5]', undefined], ['[1:5[', undefined], ['A[1:5[T', undefined], ['<A B>', undefined], ['?', undefined],
] as const)('%s is read', (text, expected) => expect(parseAllele(text)).toEqual(expected));

test.each([
  ['4.3', '<DEL>,<DUP>', 'END=40;SVLEN=-10,20', 's', '0', [40, 40]], ['4.4', '<DEL>,<DUP>', 'END=99;SVLEN=10,20', 's', '0', [20, 30]], ['4.5', 'AT,<INV>,<INS>', 'SVLEN=.,-7,50', 's', '0', [10, 17, 10]],
  ['4.4', '<DEL>', 'END=40', 's', '0', [40]], ['4.5', '<*>', '.', 's', '0:30', [39]], ['4.4', '<NON_REF>', 'END=33', 's', '0', [33]], ['4.5', 'T,<*>', '.', 's', '0:.', [10, 10]],
] as const)('VCF %s: ends of %s with %s', async (version, alt, info, samples, sample, ends) => {
  const [record] = await readAll(file(version, [`c 10 . A ${alt} . . ${info} GT:LEN ${sample}`], [], samples));
  expect(record.alt.map((_, i) => record.alleleEnd(i))).toEqual(ends);
  expect(record.end).toBe(Math.max(10, ...ends));
  expect(() => record.alleleEnd(9)).toThrow(RangeError);
});

// Examples of the 4.5 specification: local alleles (1.6.2) and base modifications (1.4.4).
const likelihoods = ['##FORMAT=<ID=M5mC,Number=M,Type=Float,Description="m">', '##FORMAT=<ID=LGL,Number=LG,Type=Integer,Description="as the table has it">', '##META=<ID=Assay,Type=String,Number=.,Values=[WholeGenome, Exome]>'];
test.each([
  'c 1 . G A,C,T,<*> . . . GT:LAA:LAD:LPL 2/4:2,4:20,30,10:90,80,0,100,110,120', 'c 2 . A C,G,T,<*> . . . GT:LAA:LAD:LPL 0/3:3:15,25:40,0,80', 'c 4 . G A,T,<*> . . . GT:LAA:LAD:LPL 0/0::30:0', 'c 4 . G A,T . . . GT:LAA:LAD 0/0:.:30',
  'c 10 . C A . . . GT:M5mC 0/1:0.95', 'c 20 . C CTAG . . . GT:M5mC 0/1:0,0.5,0.7', 'c 30 . C . . . . GT:M5mC 0|0:0.9,0', 'c 40 . C A,T,G,ACG . . . GT:M5mC /3|1/0|4|0/0/3/1:0.25,0.1,0.5,0.6,.',
  'c 11 . G . . . . GT:DPM5mC:M6mA 0/0:.:.', 'c 10 . T <DUP> . . SVLEN=9;SVCLAIM=DJ;END=19 GT:PSL:PSO /0/0|1:.,.,c*10*3:.,.,3', 'c 5 . T G,<DEL> . . SVLEN=.,30;CIPOS=.,.,-5,5;SVCLAIM=.,D GT 0/1', 'c 5 . T <*> . . END=14 GT:LEN 0/0:10',
])('4.5 allows %s', async (row) => expect(await readAll(file('4.5', [row], likelihoods), true)).toHaveLength(1));

test('4.5: the empty list of LAA and of local fields, as hts-specs has it for samples that are REF only', async () => {
  const values = async (sample: string) => { const [record] = await readAll(file('4.5', [`c 1 . G A,C . . . LAA:LEC ${sample}`]), true); return ['LAA', 'LEC', 'EC'].map((key) => record.sample(0, key)); };
  expect(await values(':')).toEqual([[], [], [null, null]]);
  expect(await values('')).toEqual([[], undefined, undefined]);
  expect(await values('.:')).toEqual([[null], [], [null, null]]);
  expect(await values(':.')).toEqual([[], [null], [null]]);
  expect(await values('2:7')).toEqual([[2], [7], [null, 7]]);
});

test.each([
  ['4.5', 'c 1 . G A,C . . . GT:LAD 0/1:1,2', /LAA beside LAD .*section 1\.6\.2/], ['4.5', 'c 1 . G A,C . . . GT:LAD:LAA 0/1:1,2:1', /LAA before all keys/], ['4.5', 'c 1 . G A,C . . . GT:LAA 0/1:3', /LAA of different whole numbers from 1 to 2/], ['4.5', 'c 1 . G A,C . . . GT:LAA 0/1:1,1', /LAA/],
  ['4.5', 'c 1 . G A,C . . . GT:LAA:LAD 0/1:1:1,2,3', /2 values of LAD/], ['4.5', 'c 1 . G A,C . . . GT:LAA:LPL 0/1:1:1,2', /3 values of LPL/], ['4.5', 'c 1 . C A . . . GT:M5mC 0/1:0.5,0.5', /1 values of M5mC/],
  ['4.4', 'c 1 . G <DEL> . . DP=1 GT 0/1', /SVLEN for <DEL> .*section 3/], ['4.4', 'c 1 . G <CNV> . . SVLEN=5;SVCLAIM=J GT 0/1', /SVCLAIM of D for <CNV>/], ['4.4', 'c 1 . G <DEL> . . SVLEN=5;SVCLAIM=X GT 0/1', /SVCLAIM of D, J, DJ/], ['4.4', 'c 1 . G <DEL>,A . . SVLEN=5 GT 0/1', /2 values of SVLEN/],
  ['4.4', 'c 1 . G <DEL> . . SVLEN=5;CIPOS=1,5 GT 0/1', /CIPOS that hold 0/], ['4.4', 'c 1 . G <DEL>,A . . SVLEN=5,.;CIPOS=-1,5 GT 0/1', /4 values of CIPOS/], ['4.4', 'c 1 . G <BND> . . SVLEN=5 GT 0/1', /breakends in their own notation/], ['4.5', 'c 1 . G <DEL> . . SVLEN=5;END=9 GT 0/1', /END at 6/],
  ['4.5', 'c 1 . C A . . . GT:DPM5mC 0|0:1', /2 values of DPM5mC/], ['4.2', 'c 9 . G <DEL> . . END=8 GT 0/1', /END at POS or after/],
  ['4.3', 'c 1 . G A . . X=a=b GT 0/1', /= in values of INFO as %3D .*section 1\.6\.1/], ['4.3', 'c 1 . G A . . X=a\u0007 GT 0/1', /no control characters .*section 1\.2/], ['4.3', 'c 1 . G A 5. . . GT 0/1', /QUAL as a number/], ['4.5', 'c 1 . G A . . AF=1.e-1 GT 0/1', /AF of type Float/],
  ['4.3', 'c 1 . G A . 0 . GT 0/1', /names of filters/], ['4.1', 'c 1 . G A . 0 . GT 0/1', /names of filters/], ['4.1', 'c 1 . G <*A . . . GT 0/1', /ALT alleles/], ['4.3', 'c 1 . G A,A] . . . GT 0/1', /ALT alleles/], ['4.1', 'c 1 . R A . . . GT 0/1', /REF of A, C, G, T, N/],
  ['4.3', 'c 1 a;a G A . . . GT 0/1', /identifiers once/], ['4.3', 'c 1 . G A . q;q . GT 0/1', /filters once/], ['4.3', 'c 1 . G A . . DP=2147483648 GT 0/1', /DP of type Integer/],
] as const)('%s forbids %s', async (version, row, message) => expect(readAll(file(version, [row], version === '4.5' ? likelihoods.slice(0, 1) : []), true)).rejects.toThrow(message));

test.each([
  ['4.3', ['##PEDIGREE=<Child=a,Mother=b>'], /PEDIGREE with an ID/], ['4.3', ['##contig=<ID=a>', '##contig=<ID=a>'], /every ID of contig once/], ['4.3', ['##contig=<ID=a(b>'], /letters that SAM allows/], ['4.3', ['##contig=<ID=DEL:ME>'], /no symbolic allele/], ['4.3', ['##INFO=<ID=X,Number=1,Type=Flag,Description="x">'], /Number=0 for a Flag/],
  ['4.3', ['##META=<ID=Assay,Type=String,Number=.>'], /META with ID, Type, Number and Values .*section 1\.4\.8/], ['4.3', ['##META=<ID=Assay,Type=Text,Number=.,Values=[a]>'], /META of a type/], ['4.4', ['##META=<ID=Assay,Type=String,Number=.,Values=a>'], /square brackets/], ['4.3', ['##META=Assay'], /META=</], ['4.3', ['##META=<Type=String,Number=.,Values=[a]>'], /ID first/],
  ['4.3', ['##INFO=<ID=1X,Number=1,Type=Float,Description="x">'], /an ID of INFO of letters/], ['4.3', ['##FORMAT=<ID=1000G,Number=1,Type=Float,Description="x">'], /an ID of FORMAT of letters/], ['4.3', ['##INFO=<ID=X,Number=1,Type=Float,Description="x",Source=a>'], /Source and Version in quotes/], ['4.3', ['##source=a\u0001'], /control characters/],
  ['4.1', ['##INFO=<ID=X,Number=R,Type=Float,Description="x">'], /Number as a count/], ['4.1', ['##FORMAT=<ID=X,Number=R,Type=Float,Description="x">'], /Number as a count/],
  ['4.4', ['##ALT=<ID=BND,Description="x">'], /ALT of DEL/], ['4.3', ['##fileformat=VCFv4.3'], /fileformat once/], ['4.5', ['##FORMAT=<ID=M5mC,Number=1,Type=Float,Description="x">'], /Number=M/],
] as const)('%s forbids the header %s', async (version, meta, message) => expect(readAll(file(version, [], meta), true)).rejects.toThrow(message));

test.each([
  ['4.3', '##META=<ID=Tissue,Type=String,Number=.,Values=[Blood, Breast, ?]>', 'c 0 . N A 1e2 . X=a b GT 0/1'], ['4.3', '##INFO=<ID=1000G,Number=0,Type=Flag,Description="a,Source=b",Source="c",Version="d">', 'c 1 . N A .5 . 1000G;Y=a%3Db GT 0/1'], ['4.3', '##INFO=<ID=X_.9,Number=1,Type=Float,Description="x">', 'c 1 . G *,<INS:ME> . . X_.9=-inf GT 2/1'],
  ['4.1', '##INFO=<ID=1X,Number=1,Type=Float,Description="x",Source=a>', 'c 1 . G A 5. . 1X=1. GT 0/1'], ['4.4', '##INFO=<ID=X,Number=1,Type=Float,Description="x">', 'c 1 . G G]c:9] . . X=NaN GT /0|1'], ['4.5', '##contig=<ID=HLA-A*01:01,length=9>', 'HLA-A*01:01 10 . N .A . . . GT 0/1'],
])('%s allows %s and %s', async (version, meta, row) => {
  const [contig, ...columns] = row.split(' ');
  const text = [`##fileformat=VCFv${version}`, meta, '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts', [contig, ...columns.slice(0, 6), columns.slice(6, -2).join(' '), ...columns.slice(-2)].join('\t'), ''].join('\n');
  expect(await readAll(new TextEncoder().encode(text), true)).toHaveLength(1);
});

test('since 4.3 the last line has an end', async () => {
  const text = (version: string) => file(version, ['c 1 . G A . . . GT 0/1']).subarray(0, -1);
  expect(await readAll(text('4.2'), true)).toHaveLength(1);
  await expect(readAll(text('4.3'), true)).rejects.toThrow(/a line end after the last line at line 3/);
});

// Each pair of rows of section 1.6.2 encodes the same.
test.each([
  ['G A,C,T,<*>', 'GT:LAA:LAD:LPL 2/4:2,4:20,30,10:90,80,0,100,110,120', '20,.,30,.,10', '90,.,.,80,.,0,.,.,.,.,100,.,110,.,120'], ['A C,G,T,<*>', 'GT:LAA:LAD:LPL 0/3:3:15,25:40,0,80', '15,.,.,25,.', '40,.,.,.,.,.,0,.,.,80,.,.,.,.,.'],
  ['C G,T,<*>', 'GT:LAA:LAD:LPL 0/0:3:30,1:0,30,80', '30,.,.,1', '0,.,.,.,.,.,30,.,.,80'], ['G A,T,<*>', 'GT:LAA:LAD:LPL 0/0::30:0', '30,.,.,.', '0,.,.,.,.,.,.,.,.,.'],
  ['A C,G', 'GT:LAA:LPL 2:2:5,6', undefined, '5,.,6'],
])('local alleles of %s %s are those of all', async (alleles, format, depths, likelihoodsOfAll) => {
  const [record] = await readAll(file('4.5', [`c 1 . ${alleles} . . . ${format}`]));
  const list = (text: string | undefined) => text?.split(',').map((value) => (value === '.' ? null : Number(value)));
  expect([record.sample(0, 'AD'), record.sample(0, 'PL'), record.sample(0, 'GL')]).toEqual([list(depths), list(likelihoodsOfAll), undefined]);
});
