// Files for the bench of genome files: seeded, so that every run measures the same bytes.
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';

/** Marsaglia's xorshift: whole numbers below 2^32. */
function randomWords(state) {
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const letters = Buffer.from('ACGT');

/** `contigs` of `length` bases on lines of 60: ten kilobases of N first, then stretches of about a kilobase in upper and lower case, as a soft-masked assembly has them. */
export function writeFasta(path, contigs, length) {
  const random = randomWords(1), file = openSync(path, 'w'), body = Buffer.alloc(length + Math.ceil(length / 60), 10);
  for (let contig = 1; contig <= contigs; contig++) {
    for (let i = 0, to = 0, lower = 0; i < length; i++) {
      if (i > 0 && i % 60 === 0) to++;
      const word = random();
      if ((word & 1023) === 0) lower ^= 32;
      body[to++] = (i < 10_000 ? 78 : letters[word >>> 30]) | lower;
    }
    writeSync(file, `>chr${contig} generated\n`);
    writeSync(file, body);
  }
  closeSync(file);
}

/** `reads` of 150 bases, four lines each. */
export function writeFastq(path, reads) {
  const random = randomWords(2), file = openSync(path, 'w');
  for (let read = 0; read < reads;) {
    const parts = [];
    for (let i = 0; i < 1000 && read < reads; i++, read++) {
      const body = Buffer.alloc(304, 10);
      body[151] = 43;
      for (let j = 0; j < 150; j++) {
        const word = random();
        body[j] = letters[word >>> 30];
        body[153 + j] = 73 - Math.min(word & 63, 30);
      }
      parts.push(Buffer.from(`@read${read}/1 lane:${read % 8}\n`), body);
    }
    writeSync(file, Buffer.concat(parts));
  }
  closeSync(file);
}

const head = (length, samples) => `##fileformat=VCFv4.2\n##contig=<ID=chr1,length=${length}>\n##INFO=<ID=AC,Number=A,Type=Integer,Description="Alternate alleles">\n##INFO=<ID=AF,Number=A,Type=Float,Description="Their share">\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t${Array.from({ length: samples }, (_, i) => `sample${i + 1}`).join('\t')}\n`;

/** A phased panel of `sites` SNVs. */
export function writePanel(path, sites, samples) {
  const random = randomWords(3), file = openSync(path, 'w');
  writeSync(file, head(sites * 100 + 1000, samples));
  let rows = [];
  for (let site = 0; site < sites; site++) {
    const ref = random() >>> 30, alt = (ref + 1 + random() % 3) & 3, share = (random() >>> 8) / 2 ** 24 / 2;
    const genotypes = Array.from({ length: samples }, () => `${random() / 2 ** 32 < share ? 1 : 0}|${random() / 2 ** 32 < share ? 1 : 0}`);
    rows.push(`chr1\t${site * 100 + 100}\trs${site}\t${'ACGT'[ref]}\t${'ACGT'[alt]}\t100\tPASS\tAC=1;AF=${share.toFixed(4)}\tGT\t${genotypes.join('\t')}\n`);
    if (rows.length === 1000 || site === sites - 1) writeSync(file, rows.splice(0).join(''));
  }
  closeSync(file);
}

/** One contig of `length` bases, and a sample with `count` variants on it: three of four SNVs, the others insertions and deletions of up to 10 bases. */
export function writeVariants({ fasta, vcf }, length, count) {
  const random = randomWords(4), sequence = Buffer.alloc(length), step = Math.floor(length / (count + 1));
  for (let i = 0; i < length; i++) sequence[i] = letters[random() >>> 30];
  const text = sequence.toString(), rows = [];
  const bases = (length) => Array.from({ length }, () => 'ACGT'[random() >>> 30]).join('');
  for (let i = 1; i <= count; i++) {
    const at = i * step + random() % (step >> 1), kind = random() % 8, size = 1 + random() % 10;
    const ref = text.slice(at, at + (kind === 7 ? 1 + size : 1)), alt = kind === 7 ? ref[0] : kind === 6 ? ref + bases(size) : 'ACGT'['ACGT'.indexOf(ref) + 1 & 3];
    rows.push(`chr1\t${at + 1}\t.\t${ref}\t${alt}\t.\tPASS\t.\tGT\t${['0|1', '1|0', '1|1'][random() % 3]}\n`);
  }
  writeFileSync(fasta, `>chr1\n${text.replace(/.{60}/g, '$&\n')}\n`);
  writeFileSync(vcf, head(length, 1) + rows.join(''));
}
