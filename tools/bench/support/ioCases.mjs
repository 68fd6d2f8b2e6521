// What the bench of genome files does with our package: in its own process, or in a new one by `node ioCases.mjs CASE ARGUMENT...`, which prints the result; `serve` answers cases that its parent sends.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const io = await import(pathToFileURL(join(root, 'packages/genome-io/dist/index.js')).href);

/** The `.fai` of a FASTA file. */
export const fastaIndex = async (path) => io.serializeFai(await io.createFastaIndex(path));

/** Name and length of every record. */
export async function fastaLengths(source) {
  const rows = [];
  for await (const { name, sequence } of io.readFasta(source)) rows.push(`${name}\t${sequence.length}\n`);
  return rows.join('');
}

/** Name, length and the letters A, C, G, T in either case. */
export async function fastaComposition(source) {
  const rows = [];
  for await (const { name, sequence } of io.readFasta(source)) rows.push([name, sequence.length, ...countLetters(sequence)].join('\t') + '\n');
  return rows.join('');
}

/** Four tables, so that runs of a letter do not wait for each other's counts. */
function countLetters(sequence) {
  const counts = Array.from({ length: 4 }, () => new Uint32Array(256)), [a, b, c, d] = counts, whole = sequence.length & ~3;
  for (let i = 0; i < whole; i += 4) { a[sequence[i]]++; b[sequence[i + 1]]++; c[sequence[i + 2]]++; d[sequence[i + 3]]++; }
  for (let i = whole; i < sequence.length; i++) a[sequence[i]]++;
  return Array.from('ACGT', (letter) => counts.reduce((sum, table) => sum + table[letter.charCodeAt(0)] + table[letter.toLowerCase().charCodeAt(0)], 0));
}

/** Reads and bases. */
export async function fastqBases(source) {
  let reads = 0, bases = 0;
  for await (const { sequence, quality } of io.readFastq(source)) {
    reads++;
    bases += sequence.length + quality.length >> 1;
  }
  return `${reads} ${bases}`;
}

/** Bytes of text of a BGZF file. */
export async function bgzfText(source, threads) {
  let bytes = 0;
  for await (const chunk of io.readBytes(source, { threads: Number(threads), reuse: true })) bytes += chunk.length;
  return `${bytes}`;
}

export const decompress = (source) => io.bgzfDecompress(source, { threads: 2 });

/** An indexed FASTA file, its indexes read. */
export async function openFile(path) {
  const file = io.openFasta(path);
  await file.contigs();
  return file;
}

/** The same intervals every time. */
export function randomIntervals(count, contigs, length, width) {
  let state = 5;
  const random = (below) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 * below | 0;
  return Array.from({ length: count }, () => {
    const contig = `chr${1 + random(contigs)}`, start = random(length - width);
    return [contig, start, start + width];
  });
}

export async function fetchAll(file, intervals) {
  let bases = 0;
  for (const [contig, start, end] of intervals) bases += (await file.fetch(contig, start, end)).length;
  return bases;
}

export async function fetchText(file, intervals) {
  let text = '';
  for (const [contig, start, end] of intervals) text += Buffer.from(await file.fetch(contig, start, end)).toString('latin1');
  return text;
}

/** ALT alleles over all sites and samples. */
export async function vcfAlternates(source) {
  let alternates = 0, genotypes;
  for await (const record of io.readVcf(source, { reuse: true })) alternates += countAlternates((genotypes = record.genotypes(genotypes)).alleles);
  return `${alternates}`;
}

/** Two sums side by side, of 1 for alleles above 0, without a branch that nobody can predict. */
function countAlternates(alleles) {
  let even = 0, odd = 0;
  for (let i = 1; i < alleles.length; i += 2) {
    even += -alleles[i - 1] >>> 31;
    odd += -alleles[i] >>> 31;
  }
  return even + odd + (alleles.length & 1 ? -alleles[alleles.length - 1] >>> 31 : 0);
}

/** Both haplotypes of the only sample: their bases, one after the other. */
export async function bothHaplotypes(fasta, vcf) {
  const sequences = [], reference = io.openFasta(fasta);
  for await (const { sequence } of io.applyVariants({ reference, variants: io.readVcf(vcf), sample: 'sample1', haplotype: [1, 2] })) sequences.push(sequence);
  await reference.close();
  return sequences;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name, ...args] = process.argv;
  const cases = { fastaIndex, fastaLengths, fastaComposition, fastqBases, bgzfText, vcfAlternates, bothHaplotypes };
  if (name === 'serve') process.on('message', async ([wanted, ...more]) => process.send(await cases[wanted](...more)));
  else for (const part of [await cases[name](...args)].flat()) process.stdout.write(part);
}
