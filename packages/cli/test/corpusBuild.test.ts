import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTwoBit } from '@genomelm/genome-io';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('corpus');
let state = 7;
const bases = (length: number) => Array.from({ length }, () => 'ACGT'[(state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 30]).join('');
const genome = join(folder, 'yeast.fa');
writeFileSync(genome, Array.from({ length: 6 }, (_, i) => `>chr${i + 1}\n${bases(900)}${bases(200).toLowerCase()}${bases(400)}\n`).join(''));
const options = ['corpus', 'build', '--seed', '3', '--of', '2', '--length', '120', '--crop', '100', '--strands', 'random', '--duplicates', 'near', '--json'];
const sums = (out: string) => readdirSync(out).filter((name) => name.endsWith('.2bit')).map((name) => `${name} ${createHash('sha256').update(readFileSync(join(out, name))).digest('hex')}`);

test('shards of one process, of many, and built again after a loss are the same bytes; corpus.json has their sums', async () => {
  const [alone, many] = [join(folder, 'alone'), join(folder, 'many')];
  const first = genomelm(...options, '-o', alone, genome);
  expect([first.status, first.stderr.split('\n').filter((line) => line.startsWith('genomelm'))]).toEqual([0, []]);
  expect(JSON.parse(first.stdout)).toMatchObject({ built: 6, complete: true, report: [{ source: 'yeast', repeats: { length: 9000, repeats: 1200 } }] });
  expect(JSON.parse(genomelm(...options, '--shard', '1', '-o', many, genome).stdout)).toMatchObject({ built: 3, complete: false });
  expect(JSON.parse(genomelm(...options, '--shard', '0', '-o', many, genome).stdout)).toMatchObject({ built: 3, complete: true });
  expect(sums(many)).toEqual(sums(alone));
  expect(readFileSync(join(many, 'corpus.json'), 'utf8')).toBe(readFileSync(join(alone, 'corpus.json'), 'utf8'));
  rmSync(join(many, 'dev-00001-of-00002.json'));
  writeFileSync(join(many, 'train-00000-of-00002.2bit'), 'damaged');
  expect(JSON.parse(genomelm(...options, '-o', many, genome).stdout)).toMatchObject({ built: 2, complete: true });
  expect(sums(many)).toEqual(sums(alone));
  const { shards } = JSON.parse(readFileSync(join(many, 'corpus.json'), 'utf8')) as { shards: { file: string; records: number; sha256: string }[] };
  for (const { file, records, sha256 } of shards) {
    expect(sums(many)).toContain(`${file} ${sha256}`);
    const contigs = await openTwoBit(join(many, file)).contigs();
    expect(contigs).toHaveLength(records);
    for (const { name, length } of contigs) expect([name.startsWith('yeast:chr'), length]).toEqual([true, 100]);
  }
  const other = genomelm(...options, '--min-length', '200', '-o', many, genome);
  expect([other.status, other.stderr]).toEqual([2, expect.stringMatching(/got another corpus; choose another --out/)]);
  const text = readFileSync(genome, 'utf8');
  writeFileSync(genome, text.replace(/(?<=>chr4\n)./, 'N')); // the same names and lengths
  const edited = genomelm(...options, '-o', many, genome);
  expect([edited.status, edited.stderr]).toEqual([2, expect.stringMatching(/got another corpus; choose another --out/)]);
  writeFileSync(genome, text);
});

test('annotation whose contigs do not meet is refused, and told of when it does', () => {
  writeFileSync(join(folder, 'a.gff'), '##gff-version 3\n1\tx\tgene\t1\t1000\t.\t+\t.\tID=a\n');
  const refused = genomelm(...options, '-o', join(folder, 'never'), '--gff', join(folder, 'a.gff'), genome);
  expect([refused.status, refused.stderr.split('\n').filter((line) => line.startsWith('genomelm'))]).toEqual([2, [expect.stringMatching(/got "1"; this file calls it "chr1": pass --aliases FILE/)]]);
  writeFileSync(join(folder, 'aliases'), '1 chr1\n');
  const built = genomelm('corpus', 'build', '--length', '100', '--json', '-o', join(folder, 'annotated'), '--gff', join(folder, 'a.gff'), '--aliases', join(folder, 'aliases'), genome);
  expect(JSON.parse(built.stdout)).toMatchObject({ report: [{ repeats: { byType: { gene: { length: 1000, kept: 900 } } } }] });
});
