import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceDevice } from '@genomelm/kernels';
import { createModel, savePretrained } from '@genomelm/model';
import { createCharacterTokenizer } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('generate');
const [model, fasta] = [join(folder, 'model'), join(folder, 'in.fa')];
const { vocabSize } = createCharacterTokenizer();
const common = ['-t', 'character', '--threads', '1'];
const lines = (text: string) => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  const config = { vocabSize, hiddenSize: 16, numLayers: 1, numHeads: 2, numKvHeads: 1, headDim: 8, intermediateSize: 24, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.5, maxPositions: 256, tiedHead: false, bosTokenId: 1, eosTokenId: 2 };
  await savePretrained(createModel(config, { device: createReferenceDevice(), seed: 3 }), model);
  writeFileSync(fasta, `>one first\n${'ACGTTGCA'.repeat(12)}\n>two\nACACACACACACACACACAC\n`);
});

test('FASTA of samples, the same whatever the batch; lines of 80, named by prompt and sample', () => {
  const run = (...args: string[]) => genomelm('generate', model, fasta, ...common, '--num', '3', '--max-new-bases', '100', '--min-new-bases', '100', '--seed', '5', '--top-p', '0.9', ...args);
  const { status, stdout } = run();
  expect(status).toBe(0);
  const records = stdout.split('>').slice(1).map((record) => record.trimEnd().split('\n'));
  expect(records.map(([name]) => name)).toEqual(['one_0', 'one_1', 'one_2', 'two_0', 'two_1', 'two_2']);
  for (const [, ...text] of records) expect(text.map(({ length }) => length)).toEqual([80, 20]);
  expect(run('--batch', '1').stdout).toBe(stdout);
  expect(run('--seed', '6').stdout).not.toBe(stdout);
});

test('JSON lines with ids, log-probabilities and the reason of the end; prompts from the command line', () => {
  const { status, stdout } = genomelm('generate', model, ...common, '--prompt', 'ACGT,GG', '--json', '--log-probs', '--temperature', '0', '--max-new-tokens', '7', '--stop-ids', '2', '--with-prompt', '--weights', 'float16', '--cache', 'float16');
  expect(status).toBe(0);
  const [first, second] = lines(stdout);
  expect(first).toMatchObject({ index: 0, prompt: 'prompt1', sample: 0, finishReason: expect.stringMatching(/stop|length/) as unknown });
  expect(first['ids']).toHaveLength((first['logProbs'] as number[]).length);
  expect(first['sequence']).toMatch(/^ACGT/);
  expect(second['sequence']).toMatch(/^GG/);
});

test('a preset, filters that say what they left out, and a sequence from nothing', () => {
  const { status, stdout, stderr } = genomelm('generate', model, ...common, '--preset', 'creative', '--min-new-tokens', '3', '--max-new-tokens', '3', '--temperature', '0', '--num', '4', '--unique');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^>sample_0\n[ACGT]{3}\n$/);
  expect(stderr).toContain('left out 3 duplicates and 0 sequences of tandem repeats');
});

test('--relaxed-simd: the wasm device alone, in engines that have it', () => {
  const run = (...args: string[]) => genomelm('generate', model, ...common, '--num', '1', '--max-new-tokens', '4', '--seed', '1', ...args);
  expect(run('--relaxed-simd', '--device', 'reference')).toMatchObject({ status: 2, stderr: expect.stringContaining('--relaxed-simd: expected --device wasm, got reference; leave one of them out') as unknown });
  const { status, stdout, stderr } = run('--relaxed-simd');
  if (process.version.startsWith('v20.')) expect(stderr).toContain('expected an engine with relaxed SIMD');
  else expect([status, stdout]).toEqual([0, run().stdout]);
});

test('--wide-tiles: the wasm device alone, with a V8 that joins registers, and the same bits', () => {
  const run = (...args: string[]) => genomelm('score', model, fasta, ...common, ...args);
  expect(run('--wide-tiles', '--device', 'reference')).toMatchObject({ status: 2, stderr: expect.stringContaining('--wide-tiles: expected --device wasm, got reference; leave one of them out') as unknown });
  const { status, stdout, stderr } = run('--wide-tiles');
  if (Number.parseInt(process.versions.v8) < 13) expect([status, stderr]).toEqual([2, expect.stringContaining('--wide-tiles: expected Node 24 or newer')]);
  else expect([status, stdout]).toEqual([0, run().stdout]);
});

test('likelihoods as a table, with both strands, and as JSON by base', () => {
  const { status, stdout, stderr } = genomelm('score', model, fasta, ...common, '--strand', 'both');
  expect(status).toBe(0);
  const [header, ...rows] = stdout.trim().split('\n').map((line) => line.split(','));
  expect(header.slice(0, 4)).toEqual(['id', 'strand', 'tokens', 'bases']);
  expect(rows.map((row) => row.slice(0, 4))).toEqual([['one', 'forward', '96', '96'], ['one', 'reverse', '96', '96'], ['two', 'forward', '20', '20'], ['two', 'reverse', '20', '20']]);
  expect(stderr).toMatch(/2 sequences, perplexity [\d.]+ a token, [\d.]+ bits a base/);
  const [one] = lines(genomelm('score', model, fasta, ...common, '--json', '--per-base').stdout);
  const bases = one['baseLogProbs'] as number[];
  expect(bases).toHaveLength(96);
  expect(bases.reduce((a, b) => a + b, 0)).toBeCloseTo(one['logLikelihood'] as number, 3);
  expect(Number(rows[0][4])).toBeCloseTo(one['logLikelihood'] as number, 5);
});

test('a scan: bedGraph, wiggle and a picture', () => {
  const svg = join(folder, 'scan.svg');
  const scan = (form: string) => genomelm('score', model, fasta, ...common, '--scan', form, '--bin', '30', '--svg', svg, '--strand', 'both').stdout.trim().split('\n');
  const bed = scan('bedgraph');
  expect(bed[0]).toMatch(/^track type=bedGraph/);
  expect(bed.slice(1).map((line) => line.split('\t').slice(0, 3).join(' '))).toEqual(['one 0 30', 'one 30 60', 'one 60 90', 'one 90 96', 'two 0 20']);
  const wig = scan('wiggle');
  expect(wig.filter((line) => line.startsWith('fixedStep'))).toEqual(['fixedStep chrom=one start=1 step=30 span=30', 'fixedStep chrom=one start=91 step=6 span=6', 'fixedStep chrom=two start=1 step=20 span=20']);
  expect(wig.filter((line) => /^\d/.test(line)).map(Number)).toEqual(bed.slice(1).map((line) => Number(line.split('\t')[3])));
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [^]*one, 96 bases[^]*two, 20 bases[^]*<\/svg>\n$/);
});

test('what cannot be is one line, and exit code 2', () => {
  const empty = join(folder, 'empty.fa');
  writeFileSync(empty, '>one\nACGT\n>two\n');
  for (const [args, message] of [
    [['generate'], 'expected a model'],
    [['generate', model, ...common, '--prompt', 'ACXT'], 'expected bases that the tokenizer knows, got an unknown token after 2 bases'],
    [['generate', model, ...common, '--top-p', '2'], 'expected topP above 0 and at most 1, got 2'],
    [['score', model, fasta, ...common, '--svg', 'x.svg'], '--svg: expected --scan'],
    [['score', model, ...common], 'expected a model and one file or more'],
    [['score', model, empty, ...common], `${empty}: two: expected bases, got none; leave the record out`],
  ] as const) {
    const { status, stderr } = genomelm(...args);
    expect([status, stderr.trim().split('\n').at(-1)]).toEqual([2, expect.stringContaining(message)]);
  }
});
