// What the specifications of 4.3 to 4.5 forbid and allow, a row for each sentence; the 4.2 files of hts-specs are in test/vcf.test.ts.
import { readVcf } from './vcf';

const validate = async (version: string, row: string, meta = '', before = '') => {
  const text = `${before}##fileformat=VCFv${version}\n${meta}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n${row === '' ? '' : `1\t10\t.\t${row.split(' ').join('\t')}\n`}`;
  for await (const record of readVcf(new TextEncoder().encode(text), { validate: true })) void record;
};
const symbolic = (alt: string, info: string, format = 'GT 0|1') => `A ${alt} . . ${info} ${format}`;
const sample = (format: string, value: string) => `A C,G . . . ${format} ${value}`;

const refused: readonly (readonly [section: string, row: string, message: RegExp])[] = [
  ['3', symbolic('<INS:ME>', 'SVLEN=5;MEINFO=ALU,1,2'), /4 values of MEINFO/], ['3', symbolic('<INS:ME>', 'SVLEN=5;METRANS=1,2,3'), /4 values of METRANS/],
  ['3', symbolic('<CNV:TR>', 'SVLEN=12;RN=2;RUS=CAG,TG;RUC=3'), /2 values of RUC/], ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUS=CAG,TG'), /1 values of RUS/], ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUS=XQ'), /IUPAC codes/],
  ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUS=CAG;RUL=2'), /RUL 3/], ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUS=CAG;RUC=4;CIRUC=-1'), /2 values of CIRUC/], ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUS=CAG;CIRUC=-1,1'), /CIRUC where RUC is known/],
  ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUL=3;RB=12;CIRB=1,2'), /CIRB that hold 0/], ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUS=CAG;RUB=3,3'), /whole numbers of RUC/], ['3', symbolic('<CNV:TR>', 'SVLEN=12;RUL=3;RUC=4;RUB=3,3'), /4 values of RUB/],
  ['5.7', symbolic('<CNV:TR>', 'SVLEN=12'), /RUS or RUL/], ['5.7', symbolic('<CNV:TR>', 'SVLEN=12;RUS=.'), /RUS or RUL/],
  ['4', symbolic('<DEL>,<DUP>', 'SVLEN=5,6', 'GT:CN 1|2:2'), /one SVLEN/],
  ['1.6.2', sample('GT:PS:PSL', '0|1:5:a,b'), /PS or PSL/], ['1.6.2', sample('GT:PSL', '0/1:a,b'), /without phase/], ['1.6.2', sample('GT:PSL', '/0|1:a,b'), /without phase/], ['1.6.2', sample('GT:PS', '0|1:-5'), /PS of 0/],
];
test.each(['4.4', '4.5'].flatMap((version) => refused.map((row) => [version, ...row] as const)))('VCF %s, section %s: %s is refused', async (version, section, row, message) => {
  const failure = validate(version, row);
  await expect(failure).rejects.toMatchObject({ name: 'FormatError', line: 3, message: expect.stringMatching(message) as string });
  await expect(failure).rejects.toThrow(`section ${section}`);
});

test.each(['4.4', '4.5'].flatMap((version) => [
  symbolic('<INS:ME>', 'SVLEN=5;MEINFO=ALU,1,2,+'), symbolic('<CNV:TR>,<CNV:TR>', 'SVLEN=12,12;RN=2,1;RUS=CAG,TG,A;RUL=3,2,1;RUC=2,3,12;RB=6,6,12;CIRUC=-1,1,.,.,0,.'), symbolic('<CNV:TR>,C', 'SVLEN=12,.;RUS=CAG;RUC=4;RUB=3,3,3,3'),
  symbolic('<DEL>,<DUP>', 'SVLEN=5,-5', 'GT:CN 1|2:2'), sample('GT:PS:PSL', '0|1:.:a,b'), sample('GT:PSL', '|0/1:a,.'), sample('GT:PSL', '1|2:.,chr20*10*1'),
].map((row) => [version, row] as const)))('VCF %s: %s passes', async (version, row) => { await expect(validate(version, row)).resolves.toBeUndefined(); });

test('VCF 4.5: a field and its local form say the same, or one is missing; base modifications are shares', async () => {
  for (const values of ['3,4:3,.,4', '3,4:.', '3,.:3,7,9']) await validate('4.5', sample('GT:LAA:LAD:AD', `0|2:2:${values}`));
  await validate('4.5', sample('GT:LAA:LPL:PL', '0|2:2:1,2,3:1,9,9,2,9,3'));
  await validate('4.5', 'C T . . . GT:M5mC 0|0:0.5,1');
  await expect(validate('4.5', sample('GT:LAA:LAD:AD', '0|2:2:3,4:3,1,5'))).rejects.toThrow(/LAD as AD has it/);
  await expect(validate('4.5', sample('GT:LAA:LPL:PL', '0|2:2:1,2,3:1,9,9,2,9,4'))).rejects.toThrow(/LPL as PL has it/);
  await expect(validate('4.5', 'C T . . . GT:M5mC 0|0:0.5,1.5')).rejects.toThrow(/M5mC from 0 to 1/);
});

test('a byte order mark is read, but no version from 4.3 on allows it', async () => {
  const text = '\ufeff##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n';
  expect((await readVcf(new TextEncoder().encode(text)).header()).minorVersion).toBe(3);
  await expect(validate('4.2', '', '', '\ufeff')).resolves.toBeUndefined();
  for (const version of ['4.3', '4.4', '4.5']) await expect(validate(version, '', '', '\ufeff')).rejects.toThrow(/no byte order mark at line 1/);
});

test('fileformat stands once, and fields of a line in any order since 4.4', async () => {
  for (const version of ['4.1', '4.2', '4.3', '4.4', '4.5']) await expect(validate(version, '', '##fileformat=VCFv4.2\n')).rejects.toThrow(/fileformat once, on the first line at line 2/);
  for (const version of ['4.4', '4.5']) await expect(validate(version, '', '##INFO=<Description="d",Type=String,Number=1,ID=X>\n')).resolves.toBeUndefined();
  for (const version of ['4.2', '4.3']) await expect(validate(version, '', '##INFO=<Description="d",Type=String,Number=1,ID=X>\n')).rejects.toThrow(/ID first/);
});
