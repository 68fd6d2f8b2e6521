import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codonAdaptationIndex, codonUsage, findOrfs, readFasta, reverseComplement, translate, type CodonUsage } from '../src/index';
import { describeWithShared, describeWithTool, shared } from './sharedData';

const records = async (path: string) => {
  const list = [];
  for await (const { name, description, sequence } of readFasta(shared(path))) list.push({ name, description, sequence: Buffer.from(sequence).toString() });
  return list;
};

describeWithShared('proteins of other programs', 'genomes/orf_golden', () => {
  test('Prodigal: every gene of a metagenome translated alike, and within one of our reading frames with the same stop', async () => {
    const table = new Map<string, number>();
    for (const [, header, number] of readFileSync(shared('genomes/orf_golden/SRR492066.meta.gff'), 'utf8').matchAll(/seqhdr="([^" ]+)[^]*?transl_table=(\d+)/g)) table.set(header, Number(number));
    const contigs = new Map((await records('genomes/orf_golden/SRR492066.fna.gz')).map(({ name, sequence }) => [name, sequence]));
    const proteins = await records('genomes/orf_golden/SRR492066.meta.faa.gz');
    const genes = await records('genomes/orf_golden/SRR492066.meta.fna.gz');
    expect(genes).toHaveLength(70);
    const orfs = new Map([...contigs].map(([name, sequence]) => [name, findOrfs(sequence, { table: table.get(name)!, definition: 'stop-to-stop', minLength: 0 })]));
    for (const [i, { name, description, sequence }] of genes.entries()) {
      const contig = name.replace(/_\d+$/, '');
      const [, start, end, direction] = description.split('#').map((part) => Number(part.trim()));
      const partial = /partial=(..)/.exec(description)![1];
      const cutStart = partial[direction === 1 ? 0 : 1] === '1';
      expect(translate(sequence, { table: table.get(contig)!, startIsMethionine: !cutStart })).toBe(proteins[i].sequence);
      const strand = direction === 1 ? '+' : '-';
      const hasStop = partial[direction === 1 ? 1 : 0] === '0';
      const [from, to] = [start - 1 + (strand === '-' && hasStop ? 3 : 0), end - (strand === '+' && hasStop ? 3 : 0)];
      expect(orfs.get(contig)!.filter((orf) => orf.strand === strand && orf.start <= from && orf.end >= to && (strand === '+' ? orf.end === to : orf.start === from) && (to - orf.start) % 3 === (to - from) % 3)).toHaveLength(1);
    }
  });

  test('GenBank: the plasmid NC_005816', async () => {
    const proteins = await records('genomes/genbank/NC_005816.faa');
    for (const [i, { sequence }] of (await records('genomes/genbank/NC_005816.ffn')).entries()) expect(translate(sequence, { table: 11, toStop: true, startIsMethionine: true })).toBe(proteins[i].sequence);
  });
});

const genomes = ['genomes/phage/lambda_virus.fa', 'genomes/phage/phi-X174.fa', 'genomes/mito/MT-human.fa', 'genomes/sarscov2/genome.fasta', 'genomes/human/genome.fasta', 'genomes/genbank/NC_005816.fna'];
describeWithTool('getorf', () => {
  const run = (path: string, find: 0 | 1, minLength: number, table: number) => execFileSync('getorf', ['-sequence', shared(path), '-outseq', 'stdout', '-find', `${find}`, '-minsize', `${minLength}`, '-table', `${table}`, '-auto'], { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  test.each(genomes)('%s: the same reading frames under both definitions, three tables and two lengths', async (path) => {
    const sequences = await records(path);
    for (const [definition, find] of [['stop-to-stop', 0], ['start-to-stop', 1]] as const) for (const minLength of [30, 300]) for (const [embossTable, table, startCodons] of [[0, 1, 'ATG'], [1, 1, 'table'], [2, 2, ['ATT', 'ATC', 'ATA', 'ATG', 'GTG']]] as const) {
      const expected = [...run(path, find, minLength, embossTable).matchAll(/^>\S+ \[(\d+) - (\d+)\]/gm)].map(([, from, to]) => (Number(from) < Number(to) ? `${Number(from) - 1}-${to}+` : `${Number(to) - 1}-${from}-`)).sort();
      const got = sequences.flatMap(({ sequence }) => findOrfs(sequence, { definition, table, startCodons, minLength })).map(({ start, end, strand }) => `${start}-${end}${strand}`).sort();
      expect([definition, minLength, table, got.length]).toEqual([definition, minLength, table, expected.length]);
      expect(got).toEqual(expected);
    }
  });
});

describeWithTool('transeq', () => {
  test.each([1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 21, 22, 23])('table %i on human mitochondrial DNA, both strands', async (table) => {
    const [{ sequence }] = await records('genomes/mito/MT-human.fa');
    for (const frame of [1, 2, 3, -1] as const) {
      const expected = execFileSync('transeq', ['-sequence', shared('genomes/mito/MT-human.fa'), '-outseq', 'stdout', '-frame', `${frame}`, '-table', `${table}`, '-auto'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().replace(/^>.*\n/, '').replace(/\n/g, '');
      // Frame -1 of EMBOSS reads the codons of frame 1 backwards; both leave out, or write as X, what is no whole codon.
      const strand = frame > 0 ? sequence : reverseComplement(sequence.slice(0, sequence.length - (sequence.length % 3)));
      expect(translate(strand, { table, frame: (frame > 0 ? frame - 1 : 0) as 0 | 1 | 2 })).toBe(expected.replace(/X$/, ''));
    }
  });
});

describeWithTool('cusp', () => {
  let folder: string;
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'genome-io-')); });
  afterAll(() => rmSync(folder, { recursive: true }));
  const genes = 'genomes/genbank/NC_005816.ffn';
  const cusp = (input: string, output: string) => execFileSync('cusp', ['-sequence', input, '-outfile', output, '-auto'], { stdio: 'ignore' });
  test('counts, shares and GC of a plasmid', async () => {
    cusp(shared(genes), join(folder, 'plasmid.cusp'));
    const text = readFileSync(join(folder, 'plasmid.cusp'), 'utf8');
    const usage = codonUsage((await records(genes)).map(({ sequence }) => sequence));
    const rows = [...text.matchAll(/^([ACGT]{3}) +(\S) +(\S+) +(\S+) +(\d+)$/gm)];
    expect(rows).toHaveLength(64);
    for (const [, codon, aminoAcid, fraction, perThousand, count] of rows) {
      const row = usage.rows.find((each) => each.codon === codon)!;
      expect([row.aminoAcid, row.count, row.fraction.toFixed(3), row.perThousand.toFixed(3)]).toEqual([aminoAcid, Number(count), fraction, perThousand]);
    }
    expect([usage.gc, ...usage.gcByPosition].map((share) => `${(100 * share).toFixed(2)}%`)).toEqual([...text.matchAll(/GC (\S+)/g)].map(([, share]) => share));
  });

  test('cai of its genes against the lambda phage', async () => {
    const [{ sequence }] = await records('genomes/phage/lambda_virus.fa');
    const coding = sequence.slice(0, 48_000);
    writeFileSync(join(folder, 'reference.fa'), `>a\n${coding}\n`);
    cusp(join(folder, 'reference.fa'), join(folder, 'reference.cusp'));
    const reference: CodonUsage = codonUsage(coding);
    const expected = [...execFileSync('cai', ['-seqall', shared(genes), '-cfile', join(folder, 'reference.cusp'), '-outfile', 'stdout', '-auto'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().matchAll(/CAI: (\S+)/g)].map(([, index]) => Number(index));
    const got = (await records(genes)).map((gene) => codonAdaptationIndex(gene.sequence, reference, { codons: 'all' }));
    expect(got).toHaveLength(expected.length);
    for (const [i, index] of got.entries()) expect(Math.abs(index - expected[i])).toBeLessThan(0.0011);
  });
});
