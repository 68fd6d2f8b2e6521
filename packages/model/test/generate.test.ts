import path from 'node:path';
import { createWasmDevice, free, read } from '@genomelm/kernels';
import { causalLmLogits, createGenerationEngine, createModel, generate, generationPresets, packBatch, tandemRepeatFraction, type CausalModel, type DecoderConfig, type GenerateOptions, type GeneratedSequence, type GenerationRequest } from '../src';
import { reverseComplement } from '../src/reverseComplement';
import { committed } from './golden';
import { describeGreedy, greedyWithoutCache } from './generationGolden';
import { codons, tinyDecoder } from './tinyDecoder';

const wasm = () => createWasmDevice({ threads: 2 });

describeGreedy('GenomeOcean, grouped queries, a window of 16', path.join(committed, 'genomeocean/b_h96_l2_gqa6_2_win16'), ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'], { wasm });

const shapes: Record<string, DecoderConfig> = {
  'as many key heads as heads': { ...tinyDecoder, numKvHeads: 4 },
  'grouped queries': tinyDecoder,
  'a window of 9': { ...tinyDecoder, slidingWindow: 9 },
  'a window of 40, a tied head': { ...tinyDecoder, slidingWindow: 40, tiedHead: true },
};

async function withModel<T>(use: (model: CausalModel) => Promise<T>, config: DecoderConfig = tinyDecoder): Promise<T> {
  const device = await wasm();
  try {
    const model = createModel(config, { device, seed: 6 });
    const before = device.memory.live;
    const result = await use(model);
    expect(device.memory.live).toBe(before); // nothing of the engine is left
    return result;
  } finally {
    await device.destroy();
  }
}

async function all(model: CausalModel, prompts?: readonly (string | Uint32Array)[], options: GenerateOptions = {}): Promise<GeneratedSequence[]> {
  const list: GeneratedSequence[] = [];
  for await (const one of generate(model, codons, prompts, options)) list.push(one);
  return list;
}

const prompts = ['ACGTTGCACGTA', 'ACGTTGCACGTAACGTTGCACGTATTTACGACGACGACGTACGATGCACGATCGACACACAGCAGTTT', '', 'GATTACAGATTA'].map((dna) => dna.slice(0, dna.length - (dna.length % 3)));

test.each(Object.entries(shapes))('greedy tokens and log-probabilities equal the full forward without a cache: %s', (_name, config) => withModel(async (model) => {
  const generated = await all(model, prompts, { temperature: 0, maxNewTokens: 50, stopIds: [], prefillTokens: 16, maxSequences: 3 });
  for (const { prompt, ids, logProbs } of generated) {
    const blocked = [0, 1, 2, 3, 4];
    const expected = await greedyWithoutCache(model, Uint32Array.of(1, ...codons.encode(prompts[prompt], { addSpecialTokens: false })), 50, blocked);
    expect([...ids]).toEqual(expected.map(({ id }) => id));
    logProbs.forEach((value, i) => expect(Math.abs(value - expected[i].logProb)).toBeLessThan(5e-5));
  }
}, config));

test('samples are the same bits whatever the batch, the pieces of prompts, and the room of the cache', () => withModel(async (model) => {
  const options: GenerateOptions = { num: 5, seed: 11, maxNewTokens: 40, temperature: 1.1, topK: 30, topP: 0.9, repetitionPenalty: 1.1, presencePenalty: 0.2, frequencyPenalty: 0.1 };
  const expected = await all(model, prompts, options);
  expect(new Set(expected.map(({ sequence }) => sequence)).size).toBe(20);
  for (const other of [{ maxSequences: 1 }, { maxSequences: 7, prefillTokens: 16 }, { cacheTokens: 200 }]) expect(await all(model, prompts, { ...options, ...other })).toEqual(expected);
  expect(await all(model, prompts, { ...options, seed: 12 })).not.toEqual(expected);
}));

test('the first tokens of many samples have the probabilities of the model (chi-square)', () => withModel(async (model) => {
  const [temperature, count] = [1.3, 4000];
  const engine = createGenerationEngine(model, { maxSequences: 256, cacheTokens: 16 * 260 });
  const drawn = await Promise.all(Array.from({ length: count }, async (_, sample) => {
    for await (const { id } of engine.submit({ promptIds: [1, 30], sample, seed: 5, temperature, maxNewTokens: 1 })) return id;
    throw new Error('expected a token');
  }));
  await engine.close();
  const exact = await firstTokenProbabilities(model, [1, 30], temperature);
  const seen = exact.map((_, id) => drawn.filter((one) => one === id).length);
  const statistic = exact.reduce((sum, probability, id) => sum + (seen[id] - count * probability) ** 2 / (count * probability), 0);
  expect(statistic).toBeLessThan(68 + 4 * Math.sqrt(2 * 68)); // 68 degrees of freedom
}));

async function firstTokenProbabilities(model: CausalModel, prompt: readonly number[], temperature: number): Promise<number[]> {
  const logits = causalLmLogits(model, packBatch([Uint32Array.from(prompt)]), [prompt.length - 1]);
  const weights = Array.from(await read(logits), (score) => Math.exp(score / temperature));
  free(logits);
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

describe('limits', () => {
  test('stop ids end a sequence and stand at its end; not before minNewTokens; blocked ids never come', () => withModel(async (model) => {
    const stopIds = Array.from({ length: 20 }, (_, i) => 10 + i);
    const options: GenerateOptions = { num: 20, seed: 3, maxNewTokens: 30, minNewTokens: 4, stopIds, blockedIds: [0, 1, 2, 3, 4, 40, 41] };
    for (const { ids, finishReason } of await all(model, [''], options)) {
      const at = ids.findIndex((id) => stopIds.includes(id));
      expect(finishReason).toBe(at < 0 ? 'length' : 'stop');
      expect(at < 0 ? ids.length : at + 1).toBe(at < 0 ? 30 : ids.length);
      expect(at < 0 || at >= 4).toBe(true);
      expect(ids.some((id) => [0, 1, 2, 3, 4, 40, 41].includes(id))).toBe(false);
    }
  }));

  test('bases: at most, cut to the letter, and at least', () => withModel(async (model) => {
    for (const { sequence, ids } of await all(model, prompts, { maxNewBases: 50, minNewBases: 50, seed: 1 })) {
      expect(sequence).toHaveLength(50);
      expect(ids).toHaveLength(17);
    }
    for (const { ids } of await all(model, [''], { num: 8, stopIds: Array.from({ length: 60 }, (_, i) => 5 + i), minNewBases: 31, seed: 1 })) expect(ids.length).toBeGreaterThan(10);
  }));

  test('special tokens and N are blocked unless something else is said', () => withModel(async (model) => {
    const withN = { ...codons, tokenToId: (token: string) => (token === 'N' ? 8 : undefined) };
    const drawn: number[] = [];
    for await (const { ids } of generate(model, withN, [''], { num: 40, maxNewTokens: 40, seed: 2, stopIds: [] })) drawn.push(...ids);
    expect(drawn.some((id) => id < 5 || id === 8)).toBe(false);
    expect(new Set(drawn).size).toBeGreaterThan(50);
  }));

  test('rows beyond the tokenizer are never drawn, whatever else is blocked', () => withModel(async (model) => {
    for (const blockedIds of [undefined, [], [5]]) for (const { ids } of await all(model, [''], { num: 8, maxNewTokens: 20, seed: 2, stopIds: [], ...(blockedIds ? { blockedIds } : {}) })) expect(Math.max(...ids)).toBeLessThan(codons.vocabSize);
  }, { ...tinyDecoder, vocabSize: 200 }));

  test.each(Object.entries(generationPresets))('upstream\'s preset %s can be asked for', (_name, preset) => withModel(async (model) => {
    const [one] = await all(model, [''], { ...preset, minNewTokens: 3, maxNewTokens: 5 });
    expect(one.ids.length).toBeGreaterThan(2);
  }));
});

test('a prompt that moves goes on from its last tokens', () => withModel(async (model) => {
  const blocked = [0, 1, 2, 3, 4];
  const [{ ids }] = await all(model, ['ACGTTG'], { temperature: 0, stopIds: [], maxNewTokens: 60, contextTokens: 24, movingPromptTokens: 7 });
  let [context, expected]: [number[], number[]] = [[1, ...codons.encode('ACGTTG', { addSpecialTokens: false })], []];
  while (expected.length < 60) {
    const piece = (await greedyWithoutCache(model, Uint32Array.from(context), Math.min(24 - context.length, 60 - expected.length), blocked)).map(({ id }) => id);
    expected = [...expected, ...piece];
    context = [1, ...[...context, ...piece].slice(-7)];
  }
  expect([...ids]).toEqual(expected);
}));

test('a tokenizer that does not decode gives ids alone', () => withModel(async (model) => {
  const encoder = { vocabSize: codons.vocabSize, specialIds: codons.specialIds, encode: codons.encode };
  for await (const { ids, sequence } of generate(model, encoder, [Uint32Array.of(1, 7)], { maxNewTokens: 5, minNewTokens: 5 })) expect([ids.length, sequence]).toEqual([5, '']);
  await expect(generate(model, encoder, [''], { maxNewBases: 5 }).next()).rejects.toThrow('expected basesOf for a limit in bases');
}));

test('the other strand of a prompt, and sequences that are left out', () => withModel(async (model) => {
  const options: GenerateOptions = { num: 12, temperature: 0.2, maxNewTokens: 6, seed: 9 };
  expect(await all(model, [reverseComplement(prompts[0])], options)).toEqual(await all(model, [prompts[0]], { ...options, reverseComplement: true }));
  const every = await all(model, [''], options);
  let last = { newBases: 0, duplicates: 0, repetitive: 0 };
  const unique = await all(model, [''], { ...options, unique: true, onProgress: (progress) => { last = progress; } });
  expect(unique.map(({ sequence }) => sequence)).toEqual([...new Set(every.map(({ sequence }) => sequence))]);
  expect([last.duplicates, last.newBases]).toEqual([every.length - unique.length, every.reduce((total, { sequence }) => total + sequence.length, 0)]);
  const plain = await all(model, [''], { ...options, maxTandemRepeats: 0.3, onProgress: (progress) => { last = progress; } });
  expect(plain).toEqual(every.filter(({ sequence }) => tandemRepeatFraction(sequence) <= 0.3));
  expect(last.repetitive).toBe(every.length - plain.length);
}));

describe('the engine', () => {
  const long: GenerationRequest = { promptIds: Uint32Array.from({ length: 100 }, (_, i) => 5 + ((i * 7) % 60)), stopIds: [], maxNewTokens: 300 };
  const take = async (stream: AsyncIterableIterator<unknown>, count: number) => { for (let i = 0; i < count; i++) await stream.next(); };

  test('a prompt that several share is computed once', () => withModel(async (model) => {
    const engine = createGenerationEngine(model);
    await Promise.all(Array.from({ length: 10 }, (_, sample) => take(engine.submit({ ...long, sample, maxNewTokens: 2 }), 3)));
    expect(engine.statistics).toMatchObject({ promptTokens: 100 + 9 * 4, sharedTokens: 9 * 96, newTokens: 20, preemptions: 0, running: 0 });
    await engine.close();
  }));

  test('whoever leaves early is not served beyond the step under way', () => withModel(async (model) => {
    const engine = createGenerationEngine(model);
    const stream = engine.submit(long);
    await take(stream, 5);
    await stream.return!();
    const { steps } = engine.statistics;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(engine.statistics.steps).toBeLessThanOrEqual(steps + 1);
    expect(engine.statistics).toMatchObject({ running: 0, waiting: 0 });
    await engine.close();
  }));

  test('a sequence rests while its reader is behind, and others go on', () => withModel(async (model) => {
    const engine = createGenerationEngine(model, { maxUnread: 8 });
    const slow = engine.submit({ ...long, maxNewTokens: 40 });
    const ids: number[] = [];
    for await (const { id } of engine.submit({ ...long, sample: 1, maxNewTokens: 100 })) ids.push(id);
    expect(engine.statistics.newTokens).toBe(108);
    await take(slow, 40);
    expect(ids).toHaveLength(100);
    await engine.close();
  }));

  test('sequences that join later, or have to give way, get the same tokens', () => withModel(async (model) => {
    const run = async (options: object, delay: number) => {
      const engine = createGenerationEngine(model, options);
      const results = await Promise.all(Array.from({ length: 6 }, async (_, sample) => {
        await new Promise((resolve) => setTimeout(resolve, sample * delay));
        const ids: number[] = [];
        for await (const { id } of engine.submit({ ...long, sample, maxNewTokens: 60 + 10 * sample })) ids.push(id);
        return ids;
      }));
      const { preemptions } = engine.statistics;
      await engine.close();
      return { results, preemptions };
    };
    const { results, preemptions } = await run({}, 0);
    expect(preemptions).toBe(0);
    expect((await run({ maxSequences: 3 }, 5)).results).toEqual(results);
    const tight = await run({ cacheTokens: 16 * 20 }, 0);
    expect(tight.results).toEqual(results);
    expect(tight.preemptions).toBeGreaterThan(0);
  }));

  test('a sequence joins while all others rest', () => withModel(async (model) => {
    const engine = createGenerationEngine(model, { maxUnread: 4 });
    const resting = engine.submit({ ...long, maxNewTokens: 30 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await take(engine.submit({ ...long, sample: 1, maxNewTokens: 10 }), 11);
    await take(resting, 31);
    expect(engine.statistics).toMatchObject({ newTokens: 40, running: 0 });
    await engine.close();
  }));

  test('damaged weights end a sequence with an error', () => withModel(async (model) => {
    const { weight } = model.params.model.norm;
    weight.device.write(weight, new Float32Array(weight.shape[0]).fill(NaN));
    await expect(all(model, ['ACG'])).rejects.toThrow('generate: expected scores that are numbers, got NaN after 0 tokens');
  }));

  test.each(['float16', 'bfloat16'] as const)('a cache of %s is half as large, and near', (cacheType) => withModel(async (model) => {
    const { memory } = model.params.model.norm.weight.device;
    const before = memory.live;
    const exact = createGenerationEngine(model);
    expect(memory.live - before).toBe(exact.statistics.cacheBytes); // as computed
    const half = createGenerationEngine(model, { cacheType });
    expect(half.statistics.cacheBytes).toBe(exact.statistics.cacheBytes / 2);
    const first = async (engine: typeof exact) => (await engine.submit({ ...long, temperature: 0 }).next()).value as { id: number; logProb: number };
    expect(Math.abs((await first(exact)).logProb - (await first(half)).logProb)).toBeLessThan(cacheType === 'float16' ? 0.02 : 0.2);
    await Promise.all([exact.close(), half.close()]);
  }));

  test('what cannot be is said', () => withModel(async (model) => {
    const engine = createGenerationEngine(model, { cacheTokens: 160 });
    const refused = (request: Partial<GenerationRequest>, message: string) => expect(() => engine.submit({ promptIds: [1], ...request })).toThrow(message);
    refused({ promptIds: [] }, 'expected a prompt of at least one token, got none');
    refused({ maxNewTokens: 500 }, 'expected a sequence of at most 128 tokens, the room of the cache, got up to 501');
    refused({ maxNewTokens: 10, maxNewBases: 4 }, 'expected basesOf for a limit in bases');
    refused({ temperature: -1 }, 'generate: expected temperature of at least 0, got -1');
    refused({ frequencyPenalty: 1e39 }, 'expected frequencyPenalty as a number that float32 holds, got 1e+39');
    refused({ topP: 0 }, 'expected topP above 0 and at most 1, got 0');
    refused({ minNewTokens: 9, maxNewTokens: 8 }, 'expected maxNewTokens as a whole number of at least 9, got 8');
    refused({ blockedIds: [69] }, 'expected blockedIds in the vocabulary of 69, got [69]');
    refused({ contextTokens: 10, movingPromptTokens: 9 }, 'expected movingPromptTokens from 1 to 8');
    await engine.close();
    refused({}, 'expected an open engine');
  }));
});

test('an abort ends a generation at once, and nothing is left of it', () => withModel(async (model) => {
  const abort = new AbortController();
  let tokens = 0;
  const running = all(model, prompts, { num: 20, maxNewTokens: 400, signal: abort.signal, onProgress: ({ newTokens }) => { if ((tokens = newTokens) > 100) abort.abort(new Error('enough')); } });
  await expect(running).rejects.toThrow('enough');
  expect(tokens).toBeLessThan(100 + 2 * 32);
  await expect(all(model, ['ACGNACGTT'], {})).rejects.toThrow('expected bases that the tokenizer knows, got an unknown token after 3 bases of prompt 0');
}));
