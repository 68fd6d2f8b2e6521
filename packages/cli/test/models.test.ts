// inspect, embed, predict and variant-effect on checkpoints that are made here, against the library.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWasmDevice, type Device } from '@genomelm/kernels';
import { createModel, dnabert2Config, embed, estimateMemory, parseSafetensors, predict, savePretrained, scoreVariants, smallConfig, toFloat32, tokenizerFingerprint, type Model } from '@genomelm/model';
import { createCharacterTokenizer, createKmerTokenizer, serializeTokenizerJson } from '@genomelm/tokenizer';
import { readingLowerCase } from '../src/pretrained';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('models');
const file = (name: string) => join(folder, name);
const tokenizer = createKmerTokenizer({ k: 3 });
const config = { ...dnabert2Config, vocabSize: tokenizer.vocabSize, hiddenSize: 16, numLayers: 2, numHeads: 2, intermediateSize: 16, initializerRange: 0.3 };
const named = { ...config, classifier: { problemType: 'single_label_classification', level: 'sequence', labels: ['no', 'yes'] } } as const;
let [device, encoder, classifier]: [Device, Model, Model] = [undefined!, undefined!, undefined!];
const sequences = Array.from({ length: 300 }, (_, i) => Array.from({ length: 20 + (i % 30) }, (_base, j) => 'ACGT'[(i * 7 + j * j + (i >> 2) * j) % 4]).join(''));
beforeAll(async () => {
  device = await createWasmDevice({ threads: 1 });
  encoder = createModel(config, { device, seed: 1 });
  classifier = createModel(named, { device, seed: 2, maskedLm: false, classes: 2 });
  await savePretrained(encoder, file('encoder'));
  await savePretrained(classifier, file('classifier'));
  writeFileSync(file('a.fa'), sequences.map((sequence, i) => `>s${i}\n${sequence}\n`).join(''));
});
afterAll(() => device.destroy());
const run = (...args: string[]) => {
  const result = genomelm(...args);
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout;
};
const near = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-5) => expect(Array.from(a).every((x, i) => Math.abs(x - b[i]) <= tolerance) && a.length === b.length).toBe(true);

describe('inspect', () => {
  test('says what a checkpoint is and takes', () => {
    const found = JSON.parse(run('inspect', file('encoder'), '--json', '--length', '100')) as Record<string, unknown>;
    const { parameters, trainingPeak } = estimateMemory(config, 100);
    expect(found).toMatchObject({ architecture: 'encoder', parameters, trainingPeak, length: 100, missingKeys: ['bert.pooler.dense.weight', 'bert.pooler.dense.bias'], stored: { parameters, dtypes: ['F32'] } });
  });

  test('knows the published sizes, and 140,000 tokens', () => {
    expect(JSON.parse(run('inspect', 'dnagrinder', '--json', '--length', '140000'))).toMatchObject({ parameters: 63_619_840, tokens: 140_000 });
    expect(run('inspect', 'dnabert2')).toMatch(/parameters +117,074,176\n.*MFLOP forward/);
    expect(genomelm('inspect', file('nowhere')).stderr).toMatch(/^genomelm: loadPretrained: expected config.json in .*nowhere, got none/);
  });
});

describe('embed', () => {
  const expected = () => embed(encoder, tokenizer, sequences, { specialTokens: false });
  const npy = (path: string) => {
    const bytes = readFileSync(path);
    const start = 10 + bytes.readUInt16LE(8);
    return { header: bytes.subarray(10, start).toString(), data: new Float32Array(new Uint8Array(bytes.subarray(start)).buffer) };
  };

  test('writes npy, safetensors and CSV', async () => {
    const vectors = await expected();
    for (const ending of ['npy', 'safetensors', 'csv']) run('embed', file('encoder'), file('a.fa'), '-t', 'kmer:3', '--no-special-tokens', '-o', file(`v.${ending}`));
    const { header, data } = npy(file('v.npy'));
    expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(300, 16\), \} *\n$/);
    expect((header.length + 10) % 64).toBe(0);
    near(data, vectors.flatMap((vector) => [...vector]));
    const stored = parseSafetensors(readFileSync(file('v.safetensors'))).get('embeddings')!;
    expect(stored.shape).toEqual([300, 16]);
    expect(toFloat32(stored)).toEqual(data);
    const rows = readFileSync(file('v.csv'), 'utf8').trim().split('\n').map((line) => line.split(','));
    expect([rows.length, rows[0].length, rows[300][0]]).toEqual([301, 17, 's299']);
    near(rows[300].slice(1).map(Number), vectors[299]);
    expect(readFileSync(file('v.npy.ids.txt'), 'utf8').split('\n').slice(0, 2)).toEqual(['s0', 's1']);
    expect(existsSync(file('v.npy.partial'))).toBe(false);
  });

  test('goes on where it was interrupted, to the same bytes', () => {
    const args = ['embed', file('encoder'), file('a.fa'), '-t', 'kmer:3', '--json'];
    run(...args, '-o', file('whole.npy'));
    writeFileSync(file('broken.fa'), `${readFileSync(file('a.fa'), 'utf8').split('>s260')[0]}>bad\nAC\0GT\n`);
    const broken = genomelm('embed', file('encoder'), file('broken.fa'), '-t', 'kmer:3', '-o', file('again.npy'));
    expect(broken.status).toBe(2);
    expect(existsSync(file('again.npy'))).toBe(false);
    expect(genomelm(...args, '-o', file('again.npy')).stderr).toMatch(/expected what an interrupted run of this command left, got that of another one/);
    writeFileSync(file('broken.fa'), readFileSync(file('a.fa'), 'utf8'));
    expect(JSON.parse(run('embed', file('encoder'), file('broken.fa'), '-t', 'kmer:3', '--json', '-o', file('again.npy')))).toMatchObject({ sequences: 300, resumedAt: 256 });
    expect(readFileSync(file('again.npy')).equals(readFileSync(file('whole.npy')))).toBe(true);
  });

  test('layers give one more axis; what cannot be is told in a line', () => {
    run('embed', file('encoder'), file('a.fa'), '-t', 'kmer:3', '--layers', '0,-1', '-o', file('layers.npy'));
    expect(npy(file('layers.npy')).header).toContain('(300, 2, 16)');
    expect(genomelm('embed', file('encoder'), file('a.fa'), '-t', 'kmer:3', '--pooling', 'pooler', '-o', file('x.npy'))).toMatchObject({ status: 2, stderr: expect.stringContaining('the pooled output of a pre-trained model is noise') as unknown });
    expect(genomelm('embed', file('encoder'), file('a.fa'), '-o', file('x.npy')).stderr).toContain('expected a tokenizer.json beside the model, got none; give --tokenizer');
    expect(genomelm('embed', file('encoder'), file('a.fa'), '-t', 'kmer:3', '-o', file('x.txt')).status).toBe(2);
  });
});

test('commands that run a model read soft-masked bases as bases, with and without a pair', () => {
  const reading = readingLowerCase(tokenizer);
  expect(reading.encode('acgTTn', { pair: 'ggg' })).toEqual(tokenizer.encode('ACGTTN', { pair: 'GGG' }));
  expect(reading.encodeWithOffsets('acgTTn')).toEqual(tokenizer.encodeWithOffsets('ACGTTN'));
  expect(reading.encodeBatch(['acgTTn', ['aaa', 'TTTT']], { maxLength: 5 })).toEqual(tokenizer.encodeBatch(['ACGTTN', ['AAA', 'TTTT']], { maxLength: 5 }));
});

test('predict gives classes by name, of sequences and of pairs', async () => {
  const expected = await predict(classifier, tokenizer, sequences.map((sequence) => ({ sequence })));
  const rows = run('predict', file('classifier'), file('a.fa'), '-t', 'kmer:3').trim().split('\n').map((line) => line.split(','));
  expect(rows[0]).toEqual(['id', 'label', 'no', 'yes']);
  expect(rows.slice(1).map((row) => row[1])).toEqual(expected.map(({ labels }) => labels[0]));
  near(rows.slice(1).map((row) => Number(row[3])), expected.map(({ outputs }) => outputs['yes']));
  writeFileSync(file('pairs.csv'), 'sequence,sequence2,label\nACGTACGT,GGGTTT,0\n'); // as finetune reads it
  writeFileSync(file('pairs.tsv'), '\uFEFF"sequence2"\t"sequence1"\r\n"GGGTTT"\t"ACGTACGT"\r\n');
  const [pair] = await predict(classifier, tokenizer, [{ sequence: 'ACGTACGT', pair: 'GGGTTT' }]);
  const lines = run('predict', file('classifier'), '--pairs', file('pairs.csv'), file('pairs.tsv'), '-t', 'kmer:3', '--json').trim().split('\n').map((line) => JSON.parse(line) as { id: string; labels: string[]; outputs: Record<string, number> });
  expect(lines.map(({ id, labels }) => [id, labels])).toEqual([['2', pair.labels], ['2', pair.labels]]);
  near(lines.map(({ outputs }) => outputs['yes']), [pair.outputs['yes'], pair.outputs['yes']]);
  writeFileSync(file('soft.fa'), '>a\nACGTacgt\n>b\nACGTACGT\n>c\nACGTNCGT\n');
  const soft = genomelm('predict', file('classifier'), file('soft.fa'), '-t', 'kmer:3'), [, a, b] = soft.stdout.split('\n');
  expect(a.replace('a,', 'b,')).toBe(b); // as finetune reads it
  expect(soft.stderr).toContain('3 of 24 tokens are unknown to the tokenizer (N, other letters)\n');
  await savePretrained({ ...classifier, config: { ...named, tokenizerFingerprint: tokenizerFingerprint(tokenizer) } }, file('named'));
  expect(genomelm('predict', file('named'), file('soft.fa'), '-t', 'kmer:2')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(`${file('named')}: expected the tokenizer that the model was trained with`) as unknown });
  expect(run('predict', file('named'), '--pairs', file('pairs.csv'), '--json')).toBe(run('predict', file('classifier'), '--pairs', file('pairs.csv'), '-t', 'kmer:3', '--json')); // k-mers are found
  writeFileSync(join(file('classifier'), 'tokenizer.json'), serializeTokenizerJson(createCharacterTokenizer()));
  expect(genomelm('predict', file('classifier'), file('soft.fa'), '-t', 'kmer:3').stderr).toContain(`--tokenizer kmer:3 cuts sequences otherwise than the tokenizer.json of ${file('classifier')}`);
  expect(genomelm('predict', file('encoder'), file('a.fa'), '-t', 'kmer:3').stderr).toContain('expected a model with a classifier, got none in');
});

test('variant-effect scores a VCF and draws a region', async () => {
  const contig = sequences.join('');
  writeFileSync(file('genome.fa'), `>chr1\n${contig}\n`);
  const [ref, alt] = [contig[999], contig[999] === 'A' ? 'C' : 'A'];
  writeFileSync(file('v.vcf'), `##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t1000\t.\t${ref}\t${alt.toLowerCase()},<DEL>\t.\t.\t.\nchr1\t3\t.\t${contig.slice(2, 4)}\t${contig[2]}\t.\t.\t.\n`);
  const { stdout, stderr } = genomelm('variant-effect', file('classifier'), '-t', 'kmer:3', '-r', file('genome.fa'), '--vcf', file('v.vcf'), '--window', '100');
  const rows = stdout.trim().split('\n').map((line) => line.split('\t'));
  expect(rows.map((row) => row.slice(0, 4))).toEqual([['#contig', 'pos', 'ref', 'alt'], ['chr1', '1000', ref, alt.toLowerCase()], ['chr1', '3', contig.slice(2, 4), contig[2]]]);
  expect(stderr).toContain('1 symbolic or missing alleles were left out');
  const from = 999 - 49;
  const [effect] = await scoreVariants(classifier, tokenizer, [{ sequence: contig.slice(from, 1000 + 49), position: 49, ref, alt }]);
  near([Number(rows[1][4])], [effect], 1e-4);
  await savePretrained(createModel(smallConfig({ vocabSize: tokenizer.vocabSize, maxPositions: 40 }), { device, seed: 3 }), file('short'));
  expect(run('variant-effect', file('short'), '-t', 'kmer:3', '-r', file('genome.fa'), '--region', 'chr1:1000-1000').trim().split('\n')).toHaveLength(2); // in a window that it has positions for
  const table = run('variant-effect', file('classifier'), '-t', 'kmer:3', '-r', file('genome.fa'), '--region', 'chr1:1000-1003', '--window', '100', '--svg', file('region.svg')).trim().split('\n');
  expect(table).toHaveLength(5);
  const picture = readFileSync(file('region.svg'), 'utf8');
  expect(picture.match(/<rect x=/g)).toHaveLength(16);
  expect(picture.match(/<title>100[0-3] [ACGT]&gt;[ACGT]: /g)).toHaveLength(16); // where the contig has them, not the window
  writeFileSync(file('wrong.vcf'), `##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t1000\t.\t${alt}\t${ref}\t.\t.\t.\n`);
  expect(genomelm('variant-effect', file('classifier'), '-t', 'kmer:3', '-r', file('genome.fa'), '--vcf', file('wrong.vcf'))).toMatchObject({ status: 2, stderr: expect.stringContaining(`wrong.vcf: chr1:1000: expected REF as the reference has it, ${ref}, got ${alt}; `) as unknown });
});
