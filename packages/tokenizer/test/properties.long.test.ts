/** The property tests of the ordinary files with all their cases (runs.ts), and what is too large for those files. */
import '../src/tokenizerJson.test';
import '../src/trainBpe.test';
import '../src/trainMemoryEfficientBpe.test';
import '../src/trainShards.test';
import './differential.test';
import './encoders.test';
import './hostile.test';
import './huggingFace.test';
import './pieces.test';
import fc from 'fast-check';
import { parseTokenizerJson, trainBpe } from '../src/index';
import { createEncoderPool } from '../src/parallel/index';
import { dnabert2Subset } from './dnabert2Subset';

it('out of core, a corpus of more than one buffer', async () => {
  const [random] = fc.sample(fc.string({ unit: fc.constantFrom(...'ACGT'), minLength: 40_000, maxLength: 40_000 }), { numRuns: 1, seed: 3 });
  const corpus = Array.from({ length: 16 }, (_, i) => random.slice(i) + 'A'.repeat(i) + random.slice(0, 97 * i)), options = { vocabSize: 80 };
  const [inMemory, onDisk] = [await trainBpe(corpus, options), await trainBpe(corpus, { ...options, maxMemory: 2 ** 23 })];
  expect(onDisk.definition.merges).toEqual(inMemory.definition.merges);
});

it('over threads, a batch of more items than a thread takes at a time', async () => {
  const tokenizer = parseTokenizerJson(dnabert2Subset()), pool = createEncoderPool(tokenizer, { threads: 2 }), items = Array.from({ length: 40_000 }, (_, i) => 'ACGT'.slice(i % 4));
  expect(await pool.encodeBatch(items)).toEqual(tokenizer.encodeBatch(items));
  await pool.close();
});
