import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

/** Reads FASTA that is made while it is read; prints counts and the most memory that the whole process took. Outside of jest, whose own memory would be counted. */
const program = `
import { readFasta, readFastaChunks } from './genomeIo.mjs';
const [, , reader, contigs, length] = process.argv;
const block = Buffer.from('ACGTTGCAAC'.repeat(6).concat('\\n').repeat(4000));
const full = Math.floor(length / 240_000);
let [contig, at] = [0, -1];
const generated = new ReadableStream({ pull(controller) {
  if (contig === Number(contigs)) return controller.close();
  controller.enqueue(at < 0 ? Buffer.from('>chr' + (contig + 1) + '\\n') : block);
  if (++at === full) { at = -1; contig++; }
} }, { highWaterMark: 0 });
let [records, bases] = [0, 0];
for await (const { sequence, last = true } of reader === 'chunks' ? readFastaChunks(generated) : readFasta(generated)) { bases += sequence.length; records += last ? 1 : 0; }
console.log(JSON.stringify({ records, bases, megabytes: process.resourceUsage().maxRSS / 1000 }));
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'genome-io-'));
  buildSync({ entryPoints: [resolve(__dirname, '../src/index.ts')], bundle: true, platform: 'node', format: 'esm', outfile: join(folder, 'genomeIo.mjs'), logLevel: 'error' });
  writeFileSync(join(folder, 'program.mjs'), program);
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([['chunks', 12, 250_000_000], ['records', 600, 5_000_000]] as const)('3 GB as %s: %i contigs of %i bases stream in less than 200 MB of memory', (reader, contigs, length) => {
  const result = JSON.parse(execFileSync(process.execPath, [join(folder, 'program.mjs'), reader, `${contigs}`, `${length}`]).toString()) as { megabytes: number };
  expect(result).toMatchObject({ records: contigs, bases: contigs * Math.floor(length / 240_000) * 240_000 });
  expect(result.megabytes).toBeLessThan(200);
});
