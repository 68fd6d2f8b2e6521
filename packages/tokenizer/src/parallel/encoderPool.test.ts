import { dnabert2Subset } from '../../test/dnabert2Subset';
import { parseTokenizerJson } from '../tokenizerJson';
import { createEncoderPool } from './encoderPool';

const tokenizer = parseTokenizerJson(dnabert2Subset());
let state = 1;
const random = (length: number) => Array.from({ length }, () => 'ACGT'[(state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 30]).join('');

describe('a pool of two threads', () => {
  const pool = createEncoderPool(tokenizer, { threads: 2, blockLength: 1000 });
  afterAll(() => pool.close());
  it.each([
    ['random bases', random(20_000)],
    ['unknown letters and white space', `${random(2500)}NNNN \n${random(700)}acgt${random(3000)}`],
    ['one base repeated, so that blocks may share no token', 'A'.repeat(5003)],
    ['a special token, which takes the whole', `${random(1500)}[MASK]${random(1500)}`],
    ['nothing', ''],
  ])('gives the encoding of the whole: %s', async (_, text) => {
    expect(await pool.encodeWithOffsets(text)).toEqual(tokenizer.encodeWithOffsets(text));
    expect(await pool.encodeWithOffsets(text, { addSpecialTokens: false, case: 'upper' })).toEqual(tokenizer.encodeWithOffsets(text, { addSpecialTokens: false, case: 'upper' }));
    expect(await pool.encode(text)).toEqual(tokenizer.encode(text));
  });
  it('gives the batch of the whole, pairs, cuts, counts and a generator included', async () => {
    const items = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? [random(i), 'acgtN'] as const : i % 5 === 0 ? new TextEncoder().encode(random(i)) : random(9 * i)));
    const options = { maxLength: 200 }, expected = tokenizer.encodeBatch(items, options);
    expect(expected.unknownCount).toBe(43 * 5);
    expect(await pool.encodeBatch(items.values(), options)).toEqual(expected);
    expect(await pool.encodeBatch([])).toEqual(tokenizer.encodeBatch([]));
  });
  it.each([
    ['one sequence', 'ACGT', {}, 'expected an iterable of sequences'],
    ['a number among the sequences', ['ACGT', 3], {}, 'expected a string, a Uint8Array'],
    ['an unknown letter where it is an error', ['ACGT', 'AXA'], { unknown: 'error' }, 'got "X" at 1'],
  ])('a batch refuses %s', async (_, items, options, message) => {
    await expect(pool.encodeBatch(items as string[], options as object)).rejects.toThrow(message);
  });
});

it('what a thread throws arrives here, and a closed pool says so', async () => {
  const { definition } = tokenizer, withoutUnknown = parseTokenizerJson({ model: { type: 'BPE', vocab: { A: 0, C: 1 }, merges: [] } });
  expect(definition.unkToken).toBe('[UNK]');
  const pool = createEncoderPool(withoutUnknown, { threads: 1 });
  await expect(pool.encodeWithOffsets('ACGT')).rejects.toThrow('this vocabulary has no unknown token');
  await pool.close();
  await expect(pool.encodeWithOffsets('AC')).rejects.toThrow('expected an open pool');
});

it.each([[{ threads: 0 }, 'expected 1 to 256 threads'], [{ blockLength: 0 }, 'expected blocks of at least 1 base']])('refuses %j', (options, message) => {
  expect(() => createEncoderPool(tokenizer, options)).toThrow(message);
});
