import path from 'node:path';
import { createReferenceDevice, createWasmDevice, type Device } from '@genomelm/kernels';
import { createModel, poolLikelihoods, score, type DecoderConfig, type OffsetEncoder } from '../src';
import { windowsOf } from '../src/score';
import { loadDecoder } from './decoderGolden';
import { committed, numbers, readTensors } from './golden';
import { codons, tinyDecoder } from './tinyDecoder';

const golden = path.join(committed, 'genomeocean/b_h96_l2_gqa6_2_win16');
const dna = (length: number, seed: number) => Array.from({ length }, (_, i) => 'ACGT'[(i * i * 7 + i * seed + ((i * seed) >> 3)) % 4]).join('');
const sequences = [dna(90, 3), dna(33, 5), dna(300, 7), dna(6, 11)];

async function on<T>(create: () => Device | Promise<Device>, use: (device: Device) => Promise<T>): Promise<T> {
  const device = await create();
  try {
    return await use(device);
  } finally {
    await device.destroy();
  }
}

const wasm = () => createWasmDevice({ threads: 2 });
const scored = (options = {}, config: DecoderConfig = tinyDecoder, create: () => Device | Promise<Device> = wasm) => on(create, (device) => score(createModel(config, { device, seed: 4 }), codons, sequences, options));

test("every token's log-probability equals upstream's", () => on(wasm, async (device) => {
  const model = await loadDecoder(golden, ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'])(device);
  const stored = readTensors(golden, 'outputs_per_sequence.safetensors');
  const ids = [0, 1].map((s) => Uint32Array.from(numbers(stored, `seq${s}.input_ids`)));
  const results = await score(model, codons, ids);
  for (const [s, { tokenLogProbs }] of results.entries()) {
    const expected = numbers(stored, `seq${s}.token_logprobs`);
    tokenLogProbs.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(5e-5));
  }
}));

test('perplexity equals float64 to 1e-5, whatever the batch, and whatever the window once it holds the sequence', async () => {
  const exact = await scored({}, tinyDecoder, createReferenceDevice);
  for (const options of [{}, { tokensPerBatch: 1 }, { tokensPerBatch: 150 }, { window: 101, overlap: 1 }]) {
    for (const [i, { perplexity, tokens, windows }] of (await scored(options)).entries()) {
      expect(windows).toBe(1);
      expect(tokens).toBe(sequences[i].length / 3);
      expect(Math.abs(perplexity / exact[i].perplexity - 1)).toBeLessThan(1e-5);
    }
  }
});

test('a longer sequence is scored in windows, each token once, with the overlap as context', async () => {
  const [, , { tokenLogProbs, window, stride, windows }] = await scored({ window: 40, overlap: 15 });
  expect([window, stride, windows]).toEqual([40, 25, 4]);
  await on(wasm, async (device) => {
    const model = createModel(tinyDecoder, { device, seed: 4 });
    const ids = Uint32Array.of(1, ...codons.encodeWithOffsets(sequences[2]).ids);
    for (const { start, from, end } of windowsOf(ids.length, 40, 15)) {
      const [alone] = await score(model, codons, [ids.slice(start, end)]);
      for (let i = from; i < end; i++) expect(tokenLogProbs[i - 1]).toBeCloseTo(alone.tokenLogProbs[i - start - 1], 5);
    }
  });
});

test('windows cover every token but the first once', () => {
  for (const [length, window, overlap] of [[2, 2, 1], [100, 10, 9], [100, 10, 1], [31, 30, 15], [1000, 7, 3]]) {
    const seen = new Int32Array(length);
    for (const { start, from, end } of windowsOf(length, window, overlap)) {
      expect(end - start).toBeLessThanOrEqual(window);
      expect(from - start).toBeGreaterThanOrEqual(Math.min(overlap, 1));
      seen.subarray(from, end).forEach((_, i) => { seen[from + i]++; });
    }
    expect([...seen]).toEqual([0, ...new Array<number>(length - 1).fill(1)]);
  }
});

test('bases, bits and both strands', async () => {
  const both = await scored({ strand: 'both', perBase: true });
  const reverse = await scored({ strand: 'reverse', perBase: true });
  for (const [i, one] of both.entries()) {
    const { bases, logLikelihood, bitsPerBase, perplexityPerBase, baseLogProbs } = one;
    expect(bases).toBe(sequences[i].length);
    expect(bitsPerBase * bases * Math.LN2).toBeCloseTo(-logLikelihood, 9);
    expect(Math.log2(perplexityPerBase)).toBeCloseTo(bitsPerBase, 9);
    expect(baseLogProbs!.reduce((a, b) => a + b, 0)).toBeCloseTo(logLikelihood, 3);
    expect(one.reverse!.logLikelihood).toBeCloseTo(reverse[i].logLikelihood, 4);
    // The first token of the reverse strand lies on the last bases of the forward one.
    expect(one.reverse!.baseLogProbs!.at(-1)! * 3).toBeCloseTo(one.reverse!.tokenLogProbs[0], 4);
  }
  const pooled = poolLikelihoods(both);
  expect(pooled.perplexity).toBeCloseTo(Math.exp(-both.reduce((sum, { logLikelihood }) => sum + logLikelihood, 0) / both.reduce((sum, { tokens }) => sum + tokens, 0)), 9);
});

test('what cannot be scored is said', async () => {
  await on(createReferenceDevice, async (device) => {
    const model = createModel(tinyDecoder, { device, seed: 4 });
    const refused = (given: readonly (string | Uint32Array)[], options: object, message: string) => expect(score(model, codons, given, options)).rejects.toThrow(message);
    await refused([''], {}, 'expected at least one token, got none in sequence 0');
    await refused([Uint32Array.of(1)], {}, 'expected at least two tokens');
    await refused(['ACG'], { window: 1 }, 'expected a window of at least 2 tokens, got 1');
    await refused(['ACG'], { window: 8, overlap: 8 }, 'expected an overlap from 1 to 7 tokens, got 8');
    await refused(['AC!'], { strand: 'both' }, 'expected IUPAC nucleotide codes, got "!" at position 2');
    await refused([Uint32Array.of(1, 2)], { perBase: true }, 'expected a string for perBase');
    await expect(score(model, codons, sequences, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(device.memory.live).toBeGreaterThan(0);
  });
});

test('codons are an OffsetEncoder', () => {
  const encoder: OffsetEncoder = codons;
  expect([...encoder.encodeWithOffsets('AAAACGTTT').ids]).toEqual([5, 11, 68]);
});
