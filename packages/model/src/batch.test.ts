import fc from 'fast-check';
import { checkBatch, cutBatches, positionsOf } from './batch';
import { dnabert2Config, packBatch, planBatches, smallConfig } from './index';

test('sequences lie behind each other', () => {
  const batch = packBatch([Uint32Array.of(1, 7, 2), { inputIds: [1, 2], tokenTypeIds: [0, 1] }]);
  expect(batch).toEqual({ inputIds: Uint32Array.of(1, 7, 2, 1, 2), cuSeqlens: Int32Array.of(0, 3, 5), maxSeqlen: 3, tokenTypeIds: Uint32Array.of(0, 0, 0, 0, 1) });
  expect(positionsOf(batch)).toEqual(Uint32Array.of(0, 1, 2, 0, 1));
  expect(packBatch([[5]].map((ids) => Uint32Array.from(ids))).tokenTypeIds).toBeUndefined();
});

test('what cannot be packed is refused', () => {
  expect(() => packBatch([])).toThrow('packBatch: expected at least one sequence, got none');
  expect(() => packBatch([Uint32Array.of(1), new Uint32Array(0)])).toThrow('expected at least one token in sequence 1');
  expect(() => packBatch([{ inputIds: [1, 2], tokenTypeIds: [0] }])).toThrow('expected 2 token types for sequence 0, got 1');
});

test('ids, types and positions without a row are refused before a device reads zeros there', () => {
  const small = smallConfig({ vocabSize: 21, maxPositions: 4 });
  const batch = packBatch([Uint32Array.of(1, 20, 2)]);
  expect(() => checkBatch(batch, small)).not.toThrow();
  expect(() => checkBatch(packBatch([Uint32Array.of(1, 21)]), small)).toThrow('expected an id below 21, got 21 at token 1');
  expect(() => checkBatch({ ...batch, tokenTypeIds: Uint32Array.of(0, 2, 0) }, small)).toThrow('expected a token type below 2, got 2 at token 1');
  expect(() => checkBatch({ ...batch, tokenTypeIds: Uint32Array.of(0) }, small)).toThrow('expected 3 tokenTypeIds');
  expect(() => checkBatch({ ...batch, positions: Uint32Array.of(0, 1, 4) }, small)).toThrow('expected a position below 4, got 4 at token 2');
  expect(() => checkBatch(packBatch([new Uint32Array(5)]), small)).toThrow('expected at most 4 tokens in a sequence, the rows of the position table, got 5');
  expect(() => checkBatch(packBatch([new Uint32Array(5000)]), dnabert2Config)).not.toThrow();
});

const lengthsOf = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 400 });

test('an epoch has every sequence once, in batches within the budget', () => {
  fc.assert(fc.property(lengthsOf, fc.integer({ min: 1, max: 300 }), fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }), fc.nat(), (lengths, tokensPerBatch, sequencesPerBatch, seed) => {
    const batches = planBatches(lengths, { tokensPerBatch, sequencesPerBatch, seed, epoch: 1 });
    expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
    for (const batch of batches) {
      const tokens = batch.reduce((total, i) => total + lengths[i], 0);
      expect(batch.length === 1 || tokens <= tokensPerBatch).toBe(true);
      expect(batch.length).toBeLessThanOrEqual(sequencesPerBatch ?? Infinity);
    }
  }));
});

test('the order depends on seed and epoch alone', () => {
  const lengths = Array.from({ length: 200 }, (_, i) => 5 + (i % 7));
  const plan = (seed: number, epoch: number) => JSON.stringify(planBatches(lengths, { tokensPerBatch: 100, seed, epoch }));
  expect(plan(1, 0)).toBe(plan(1, 0));
  expect(new Set([plan(1, 0), plan(1, 1), plan(2, 0)]).size).toBe(3);
});

test('sequences of like length share a batch', () => {
  const lengths = Array.from({ length: 1000 }, (_, i) => 10 + ((i * 37) % 90));
  const spread = (batches: number[][]) => batches.reduce((total, batch) => total + Math.max(...batch.map((i) => lengths[i])) - Math.min(...batch.map((i) => lengths[i])), 0) / batches.length;
  expect(spread(planBatches(lengths, { tokensPerBatch: 500, seed: 3, epoch: 0 }))).toBeLessThan(10);
  expect(spread(cutBatches(lengths.keys(), lengths, { tokensPerBatch: 500 }))).toBeGreaterThan(50);
});
