// npm run bench -- io [--json [FILE]] [--only TEXT]: genome files beside samtools, seqtk, bgzip, bcftools, pysam and npm packages, on seeded files of 30 to 60 MB.
// Arms take turns, medians are compared, and all must give the same result first. Programs are measured from start to end; ours twice: in this process, warmed up, and as a new process of Node from start to end,
// whose peak memory is given beside the program's. Files lie in the page cache. Programs that are not installed are left out with a note.
import { fork, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { interleave, measureProgram } from './measure.mjs';
import * as data from './support/ioData.mjs';

export const packages = ['@genomelm/genome-io'];
export const peers = { '@gmod/indexedfasta': '5.0.2', '@gmod/vcf': '7.2.0', 'generic-filehandle2': '2.1.10' };

const casesFile = fileURLToPath(new URL('support/ioCases.mjs', import.meta.url));
const repeats = 7;
const pysam = ['/usr/bin/python3', fileURLToPath(new URL('support/pysamFetch.py', import.meta.url))];

export async function* run({ peer, args, note }) {
  const cases = await import('./support/ioCases.mjs'), folder = mkdtempSync(join(tmpdir(), 'genomelm-bench-'));
  const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : '';
  const context = { peer, note, cases, at: (name) => join(folder, name), bytes: (name) => readFileSync(join(folder, name)) };
  try {
    for (const [name, measure] of Object.entries({ fasta, fastq, bgzf, fetch, vcf, haplotypes })) if (name.includes(only)) yield* measure(context);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function shell(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`bench: expected ${command} ${args.join(' ')} to succeed, got ${stderr}`);
  return stdout;
}
const isInstalled = (command, note) => !spawnSync(command, ['--version']).error || (note(`${command} is not installed: no comparison with it`), false);

function assertSame(name, ours, theirs) {
  if (ours !== theirs) throw new Error(`bench: expected the same result for ${name}, got ${JSON.stringify(ours.slice(0, 80))} and ${JSON.stringify(theirs.slice(0, 80))}`);
}

/**
 * Ours in this process and in one of its own, against programs (their output goes nowhere) and other arms, in turn.
 * @param times - how often `run` does the work
 * @param rivals - `[name, program and arguments]`, or `[name, function, share]` where a function does so much of the work, or so many times
 */
async function* compare({ name, amount, unit = 'MB/s', run, times = 1, process: own, rivals }) {
  const memory = {}, quiet = { stdio: ['ignore', 'pipe', 'ignore'] };
  const program = (key, line) => async () => {
    for (const one of line) memory[key] = (await measureProgram('/bin/sh', ['-c', 'exec "$@" > /dev/null', 'sh', ...one], quiet)).megabytes;
  };
  const arms = [run, ...(own ? [program('own', [[process.execPath, casesFile, ...own]])] : []), ...rivals.map(([key, arm]) => (typeof arm === 'function' ? arm : program(key, arm)))];
  const seconds = await interleave(arms, repeats), first = own ? 2 : 1;
  for (const [i, [rival, , share = 1]] of rivals.entries()) {
    const theirs = seconds[first + i] / share;
    const row = (label, mine, more) => ({ name: `${name}${label} | ${rival}`, ours: amount / mine, peer: amount / theirs, ratio: theirs / mine, unit, ...more });
    yield row('', seconds[0] / times);
    if (own && rival in memory) yield row(', a new process', seconds[1], { megabytes: memory.own, peerMegabytes: memory[rival] });
  }
}

/** Into the same memory: an array of the whole file would be collected in the time of the next arm, which is ours. */
function readThrough(path) {
  const file = openSync(path, 'r'), memory = Buffer.alloc(1 << 20);
  while (readSync(file, memory) > 0);
  closeSync(file);
}

const lengthsOf = (fai) => fai.replace(/^(\S+\t\d+)\t.*$/gm, '$1');

async function* fasta({ cases, at, bytes, note }) {
  const path = at('g.fa'), index = at('g.fa.fai');
  data.writeFasta(path, 6, 10e6);
  const text = bytes('g.fa'), amount = text.length / 1e6, rivals = [], comp = [];
  const read = ['reading the bytes alone', () => readThrough(path)];
  if (isInstalled('samtools', note)) {
    const samtools = [['samtools', 'faidx', path, '--fai-idx', index]];
    shell(...samtools[0]);
    assertSame('faidx', await cases.fastaIndex(path), readFileSync(index, 'utf8'));
    assertSame('lengths', await cases.fastaLengths(path), lengthsOf(readFileSync(index, 'utf8')));
    rivals.push(['samtools faidx', samtools]);
    yield* compare({ name: 'FASTA index', amount, run: () => cases.fastaIndex(path), process: ['fastaIndex', path], rivals: [['samtools faidx', samtools]] });
  }
  if (isInstalled('seqtk', note)) {
    comp.push(['seqtk comp', [['seqtk', 'comp', path]]]);
    assertSame('composition', await cases.fastaComposition(path), shell('seqtk', 'comp', path).toString().replace(/^((?:\S+\t){5}\S+).*$/gm, '$1'));
    rivals.push(comp[0]);
  }
  yield* compare({ name: 'FASTA records from a file', amount, run: () => cases.fastaLengths(path), process: ['fastaLengths', path], rivals: [...rivals, read] });
  yield* compare({ name: 'FASTA records and their letters counted', amount, run: () => cases.fastaComposition(path), process: ['fastaComposition', path], rivals: comp });
  yield* compare({ name: 'FASTA records from memory', amount, run: () => cases.fastaLengths(text), rivals: [['copying the bytes', () => text.slice().length && Uint8Array.prototype.slice.call(text)]] });
}

async function* fastq({ cases, at, bytes, note }) {
  const path = at('r.fq');
  data.writeFastq(path, 180_000);
  const text = bytes('r.fq'), rivals = [['reading the bytes alone', () => readThrough(path)]];
  if (isInstalled('seqtk', note)) {
    assertSame('bases', (await cases.fastqBases(path)).split(' ')[1], /^ALL\t(\d+)/m.exec(shell('seqtk', 'fqchk', path).toString())[1]);
    rivals.unshift(['seqtk fqchk', [['seqtk', 'fqchk', path]]]);
  }
  yield* compare({ name: 'FASTQ records from a file', amount: text.length / 1e6, run: () => cases.fastqBases(path), process: ['fastqBases', path], rivals });
}

async function* bgzf({ cases, at, note }) {
  if (!isInstalled('bgzip', note)) return;
  const path = at('b.fa'), packed = at('b.fa.gz');
  data.writeFasta(path, 6, 10e6);
  shell('bgzip', path);
  const file = readFileSync(packed), text = gunzipSync(file), amount = text.length / 1e6;
  if (!Buffer.from(await cases.decompress(file)).equals(text)) throw new Error('bench: expected the same text from BGZF');
  const raw = ['zlib alone, one call', () => gunzipSync(file, { chunkSize: text.length + 1 })];
  yield* compare({ name: 'BGZF, one thread', amount, run: () => cases.bgzfText(packed, 1), process: ['bgzfText', packed, '1'], rivals: [['bgzip -d', [['bgzip', '-dc', packed]]], raw] });
  const larger = at('b4.fa.gz'), body = file.subarray(0, -28), alone = ['bgzfText', larger, '1']; // without the block that ends a file
  writeFileSync(larger, Buffer.concat([body, body, body, file]));
  const processes = [1, 2].map(() => fork(casesFile, ['serve'])), ask = (one) => new Promise((resolve) => one.once('message', resolve).send(alone));
  try {
    yield* compare({ name: 'BGZF, two threads', amount: 4 * amount, run: () => cases.bgzfText(larger, 2), process: ['bgzfText', larger, '2'], rivals: [['bgzip -d -@ 2', [['bgzip', '-dc', '-@', '2', larger]]], ['ours on one', () => cases.bgzfText(larger, 1)], ['two processes on one thread each, warmed up: what the machine allows', () => Promise.all(processes.map(ask)), 2]] });
  } finally {
    for (const one of processes) one.kill();
  }
}

async function* fetch({ peer, cases, at, note }) {
  if (!isInstalled('samtools', note) || !isInstalled('bgzip', note)) return;
  const path = at('f.fa'), { BgzipIndexedFasta, IndexedFasta } = await peer('@gmod/indexedfasta'), { LocalFile } = await peer('generic-filehandle2');
  data.writeFasta(path, 6, 10e6);
  shell('samtools', 'faidx', path);
  shell('bgzip', '-k', path);
  shell('samtools', 'faidx', `${path}.gz`);
  const open = (name) => new LocalFile(name);
  const files = [
    ['plain', path, 20_000, new IndexedFasta({ fasta: open(path), fai: open(`${path}.fai`) })],
    ['BGZF', `${path}.gz`, 2000, new BgzipIndexedFasta({ fasta: open(`${path}.gz`), fai: open(`${path}.gz.fai`), gzi: open(`${path}.gz.gzi`) })],
  ];
  for (const [kind, file, count, theirs] of files) {
    const intervals = cases.randomIntervals(count, 6, 10e6, 300), few = intervals.slice(0, count / 10);
    const ours = await cases.openFile(file), gmod = async (some) => { let text = ''; for (const [contig, start, end] of some) text += await theirs.getSequence(contig, start, end); return text; };
    assertSame('intervals', await cases.fetchText(ours, few), await gmod(few));
    const { status, stdout } = spawnSync(pysam[0], [pysam[1], file, '0'], { input: few.map((row) => row.join('\t')).join('\n') });
    const inPython = status === 0 && (assertSame('intervals', await cases.fetchText(ours, few), stdout.toString()), true);
    if (!inPython) note('pysam is not installed: no comparison with it');
    const rates = { ours: [], pysam: [] };
    yield* compare({ name: `300 bases at random, ${kind}`, amount: count, unit: '1/s', run: () => cases.fetchAll(ours, intervals), rivals: [['@gmod/indexedfasta', () => gmod(few), 0.1]] });
    for (let i = 0; inPython && i < repeats; i++) { // Python takes its own time, without its start
      const begun = performance.now();
      await cases.fetchAll(ours, intervals);
      rates.ours.push(1000 * count / (performance.now() - begun));
      rates.pysam.push(count / Number(spawnSync(pysam[0], [pysam[1], file, '1'], { input: intervals.map((row) => row.join('\t')).join('\n') }).stdout));
    }
    const middle = (list) => list.sort((a, b) => a - b)[list.length >> 1];
    if (inPython) yield { name: `300 bases at random, ${kind} | pysam, without Python's start`, ours: middle(rates.ours), peer: middle(rates.pysam), ratio: middle(rates.ours) / middle(rates.pysam), unit: '1/s' };
    await ours.close();
  }
}

async function* vcf({ peer, cases, at, bytes, note }) {
  const module = await peer('@gmod/vcf'), Parser = module.default?.default ?? module.VCFParser ?? module.default;
  for (const [samples, sites] of [[60, 100_000], [2504, 5000]]) {
    const path = at(`p${samples}.vcf`);
    data.writePanel(path, sites, samples);
    const text = bytes(`p${samples}.vcf`), lines = text.toString().split('\n'), head = lines.findIndex((line) => !line.startsWith('#')), some = lines.slice(head, head + Math.ceil(sites / 20));
    const parser = new Parser({ header: lines.slice(0, head).join('\n') });
    const gmod = () => {
      let alternates = 0;
      for (const line of some) parser.parseLine(line).processGenotypes((string, start, end) => { for (let i = start; i < end; i += 2) alternates += string.charCodeAt(i) & 1; });
      return `${alternates}`;
    };
    const byName = () => {
      let alternates = 0;
      for (const line of some) for (const call of Object.values(parser.parseLine(line).GENOTYPES())) alternates += (call.charCodeAt(0) & 1) + (call.charCodeAt(2) & 1);
      return `${alternates}`;
    };
    const part = Buffer.from(`${[...lines.slice(0, head), ...some].join('\n')}\n`), rivals = [['@gmod/vcf processGenotypes, one in twenty', gmod, some.length / sites], ['@gmod/vcf GENOTYPES, one in twenty', byName, some.length / sites]];
    for (const theirs of [gmod, byName]) assertSame('alleles', await cases.vcfAlternates(part), theirs());
    if (isInstalled('bcftools', note)) {
      const tags = shell('bcftools', 'query', '-f', '[%GT]\n', path).toString();
      assertSame('alleles', await cases.vcfAlternates(path), `${tags.split('1').length - 1}`);
      rivals.unshift(['bcftools view', [['bcftools', 'view', path]]], ['bcftools view -Ou', [['bcftools', 'view', '-Ou', path]]]);
    }
    yield* compare({ name: `VCF genotypes of ${samples} samples`, amount: text.length / 1e6, run: () => cases.vcfAlternates(path), process: ['vcfAlternates', path], rivals });
  }
}

async function* haplotypes({ cases, at, note }) {
  if (!isInstalled('bcftools', note)) return;
  const fasta = at('h.fa'), vcf = at('h.vcf'), packed = `${vcf}.gz`;
  data.writeVariants({ fasta, vcf }, 1e6, 2000);
  shell('bcftools', 'view', '-Oz', '-o', packed, vcf);
  shell('bcftools', 'index', packed);
  shell('samtools', 'faidx', fasta);
  const consensus = ['1', '2'].map((haplotype) => ['bcftools', 'consensus', '-H', haplotype, '-f', fasta, packed]);
  assertSame('haplotypes', Buffer.concat(await cases.bothHaplotypes(fasta, packed)).toString(), consensus.map((line) => shell(...line).toString().replace(/^>.*|\n/gm, '')).join(''));
  const often = async () => { for (let i = 0; i < 20; i++) await cases.bothHaplotypes(fasta, packed); };
  yield* compare({ name: 'two haplotypes of 1 Mb, 2,000 variants', amount: 2, unit: 'Mb/s', run: often, times: 20, process: ['bothHaplotypes', fasta, packed], rivals: [['bcftools consensus, twice', consensus]] });
}
