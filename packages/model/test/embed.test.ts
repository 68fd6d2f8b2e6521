// Embeddings and attention maps against plain arithmetic on hidden states, and against the attention op.
import { attention, concat, createReferenceDevice, createWasmDevice, free, linear, ones, read, reshape, scope, alibiSlopes, type Tensor } from '@genomelm/kernels';
import { createCharacterTokenizer, createKmerTokenizer } from '../../tokenizer/src';
import { attentionMaps, createModel, dnabert2Config, embed, embedBases, embedTokens, forward, packBatch, type EncoderConfig, type DecoderConfig } from '../src';

const device = createReferenceDevice();
const encoder = createKmerTokenizer({ k: 3 });
const config: EncoderConfig = { ...dnabert2Config, vocabSize: encoder.vocabSize, hiddenSize: 12, numLayers: 3, numHeads: 3, intermediateSize: 8 };
const model = createModel(config, { device, seed: 5 });
const decoderConfig: DecoderConfig = { vocabSize: encoder.vocabSize, hiddenSize: 12, numLayers: 2, numHeads: 4, numKvHeads: 2, headDim: 6, intermediateSize: 8, slidingWindow: 5, ropeTheta: 100, rmsNormEps: 1e-6, initializerRange: 0.5, maxPositions: 64, tiedHead: false, bosTokenId: 1, eosTokenId: 2 };
const decoder = createModel(decoderConfig, { device, seed: 6 });
const sequences = ['ACGTACGTTT', 'GGGACCA', 'TTTTTTTTTTTTTTTGACA', 'ACGT'];
const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-6) => { expect(a.length).toBe(b.length); expect(Array.from(a).every((x, i) => Math.abs(x - b[i]) <= tolerance)).toBe(true); };

/** Rows of the hidden states of one sequence alone. */
async function rowsOf(which: typeof model | typeof decoder, ids: Uint32Array, layer: number): Promise<number[][]> {
  const states = scope<Tensor>(() => forward(which, packBatch([ids]), { allHiddenStates: true }).allHiddenStates![layer]);
  const values = [...await read(states)];
  free(states);
  return Array.from(ids, (_, i) => values.slice(12 * i, 12 * i + 12));
}
const mean = (rows: number[][]) => rows[0].map((_, d) => rows.reduce((total, row) => total + row[d], 0) / rows.length);
const max = (rows: number[][]) => rows[0].map((_, d) => Math.max(...rows.map((row) => row[d])));

describe('embed', () => {
  test.each([
    ['mean', true, (rows: number[][]) => mean(rows)],
    ['mean', false, (rows: number[][]) => mean(rows.slice(1, -1))],
    ['max', true, (rows: number[][]) => max(rows)],
    ['max', false, (rows: number[][]) => max(rows.slice(1, -1))],
    ['last', true, (rows: number[][]) => rows.at(-1)!],
    ['last', false, (rows: number[][]) => rows.at(-2)!],
    ['cls', true, (rows: number[][]) => rows[0]],
  ] as const)('%s, special tokens %s, is that of each sequence alone', async (pooling, specialTokens, pool) => {
    const { live } = device.memory;
    for (const tokensPerBatch of [8192, 20]) {
      const vectors = await embed(model, encoder, sequences, { pooling, specialTokens, tokensPerBatch });
      for (const [i, sequence] of sequences.entries()) close(vectors[i], pool(await rowsOf(model, encoder.encode(sequence), 3)));
    }
    expect(device.memory.live).toBe(live);
  });

  test('layers come one behind the other, and may be counted from the end', async () => {
    const [all, two] = await Promise.all([embed(model, encoder, sequences, { layers: 'all' }), embed(model, encoder, sequences, { layers: [0, -2] })]);
    expect(all[1].length).toBe(4 * 12);
    close(two[1], [...all[1].subarray(0, 12), ...all[1].subarray(24, 36)], 0);
    close(all[1].subarray(12, 24), mean(await rowsOf(model, encoder.encode(sequences[1]), 1)));
  });

  test('decoders have no [CLS] that sees the sequence', async () => {
    const [vector] = await embed(decoder, encoder, ['ACGTAC'], { pooling: 'last', specialTokens: false });
    close(vector, (await rowsOf(decoder, encoder.encode('ACGTAC'), 2)).at(-2)!);
    await expect(embed(decoder, encoder, ['ACGTAC'], { pooling: 'cls' })).rejects.toThrow('expected pooling mean, max or last for a decoder');
  });

  test('pairs carry token types', async () => {
    const [pair, single] = await Promise.all([embed(model, encoder, [{ sequence: 'ACGTA', pair: 'GGGTA' }]), embed(model, encoder, ['ACGTA'])]);
    expect(pair[0]).not.toEqual(single[0]);
    const ids = encoder.encode('ACGTA', { pair: 'GGGTA' });
    const end = ids.indexOf(2);
    const states = scope<Tensor>(() => forward(model, packBatch([{ inputIds: ids, tokenTypeIds: ids.map((_, i) => (i > end ? 1 : 0)) }])).hiddenStates);
    const values = [...await read(states)];
    free(states);
    close(pair[0], mean(Array.from(ids, (_, i) => values.slice(12 * i, 12 * i + 12))));
  });

  test('refuses the pooled output of an untrained pooler, other tokenizers and layers, and nothing', async () => {
    await expect(embed(model, encoder, sequences, { pooling: 'pooler' })).rejects.toThrow('the pooled output of a pre-trained model is noise');
    const untrained = createModel(config, { device, seed: 1, pooler: true });
    await expect(embed(untrained, encoder, sequences, { pooling: 'pooler' })).rejects.toThrow('got one without a classifier');
    await expect(embed(createModel(config, { device, seed: 1, classes: 2 }), encoder, sequences, { pooling: 'pooler' })).resolves.toHaveLength(4);
    await expect(embed(model, createKmerTokenizer({ k: 4 }), sequences)).rejects.toThrow("expected a tokenizer with the model's vocabulary of 69, got one of 261");
    await expect(embed(model, encoder, 'ACGT' as never)).rejects.toThrow('expected an array of sequences, got string; put one into brackets');
    await expect(embed(model, encoder, sequences, { tokensPerBatch: 0 })).rejects.toThrow('expected tokensPerBatch above 0, got 0');
    await expect(embed(model, encoder, sequences, { layers: 4 })).rejects.toThrow('expected layers from 0');
    await expect(embed(model, encoder, [''], { specialTokens: false })).rejects.toThrow('expected a token besides special ones');
    await expect(embed(model, encoder, sequences, { pooling: 'median' as 'mean' })).rejects.toThrow('expected pooling mean, max, cls, last or pooler');
  });

  test('takes a model whose vocabulary is padded, and says the same as without the padding', async () => {
    const { bert } = model.params;
    const padded = (rows: number) => scope(() => {
      const weight = concat([bert.embeddings.word_embeddings.weight, ones(device, [rows, 12])]);
      return { ...model, config: { ...config, vocabSize: 69 + rows }, params: { bert: { ...bert, embeddings: { ...bert.embeddings, word_embeddings: { weight } } } } };
    });
    expect(await embed(padded(255), encoder, sequences)).toEqual(await embed(model, encoder, sequences));
    await expect(embed(padded(256), encoder, sequences)).rejects.toThrow("expected a tokenizer with the model's vocabulary of 325, got one of 69");
  });
});

test.each(['encoder', 'decoder'] as const)('on wasm a packed batch gives each sequence of an %s what it gives alone', async (which) => {
  const wasm = await createWasmDevice({ threads: 2 });
  try {
    const own = which === 'encoder' ? createModel(config, { device: wasm, seed: 5 }) : createModel(decoderConfig, { device: wasm, seed: 6 });
    const together = await embed(own, encoder, sequences, { pooling: 'max', layers: 'all' });
    for (const [i, sequence] of sequences.entries()) close((await embed(own, encoder, [sequence], { pooling: 'max', layers: 'all' }))[0], together[i], 2e-6);
  } finally {
    await wasm.destroy();
  }
});

test('bases have the vector of their token', async () => {
  const characters = createCharacterTokenizer();
  const own = createModel({ ...config, vocabSize: characters.vocabSize }, { device, seed: 2 });
  const { ids, offsets, hiddenStates } = await embedTokens(own, characters, 'ACGT');
  expect(Array.from(offsets).slice(2, 10)).toEqual([0, 1, 1, 2, 2, 3, 3, 4]);
  expect(hiddenStates.length).toBe(12 * ids.length);
  close(await embedBases(own, characters, 'ACGT'), hiddenStates.subarray(12, 60), 0);
  const triplets = createKmerTokenizer({ k: 3, stride: 3 });
  const perBase = await embedBases(model, triplets, 'ACGTTT');
  close(perBase.subarray(0, 12), perBase.subarray(24, 36), 0);
  expect(perBase.subarray(24, 36)).not.toEqual(perBase.subarray(36, 48));
});

describe('attention maps', () => {
  const ids = encoder.encode(sequences[2]);
  const rows = [0, 3, ids.length - 1];

  test('times the values are the output of the attention op', async () => {
    const { weight, bias } = model.params.bert.encoder.layer[1].attention.self.Wqkv;
    const [output, value] = scope<Tensor[]>(() => {
      const x = forward(model, packBatch([ids]), { allHiddenStates: true }).allHiddenStates![1];
      const qkv = reshape(linear(x, weight, bias), [ids.length, 3, 3, 4]);
      return [attention({ qkv }, { cuSeqlens: [0, ids.length], alibiSlopes: alibiSlopes(3) }).output, reshape(qkv, [ids.length, 36])];
    });
    const [expected, values] = await Promise.all([read(output), read(value)]);
    const maps = await attentionMaps(model, ids, { rows, layers: [1] });
    expect(maps.map(({ layer, head }) => [layer, head])).toEqual([[1, 0], [1, 1], [1, 2]]);
    for (const { head, probabilities } of maps) {
      rows.forEach((row, r) => {
        const own = probabilities.subarray(r * ids.length, (r + 1) * ids.length);
        expect(own.reduce((total, p) => total + p, 0)).toBeCloseTo(1, 6);
        for (let d = 0; d < 4; d++) expect(own.reduce((total, p, j) => total + p * values[j * 36 + 24 + head * 4 + d], 0)).toBeCloseTo(expected[row * 12 + head * 4 + d], 6);
      });
    }
    free([output, value]);
  });

  test('of a decoder see what came before, within the window', async () => {
    const maps = await attentionMaps(decoder, ids, { rows: [9] });
    expect(maps).toHaveLength(8);
    for (const { probabilities } of maps) expect(Array.from(probabilities, (p) => p > 0)).toEqual(Array.from(ids, (_, j) => j > 4 && j <= 9));
  });

  test('are refused where they do not exist or are too many', async () => {
    await expect(attentionMaps(model, ids, { rows: [ids.length] })).rejects.toThrow('expected rows from 0');
    await expect(attentionMaps(model, ids, { rows, heads: [3] })).rejects.toThrow('expected heads from 0 to 2, got 3');
    const long = new Uint32Array(20_000).fill(7);
    await expect(attentionMaps(model, long, { rows: Array.from(long, (_, i) => i) })).rejects.toThrow('ask for fewer rows at a time');
  });
});
