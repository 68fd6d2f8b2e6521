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
    expect(await pool.encode(new TextEncoder().encode(text))).toEqual(tokenizer.encode(text));
  });
  it('reads packed bases, and refuses what is no sequence', async () => {
    const packed = { packed: Uint8Array.from({ length: 1000 }, (_, i) => (i * i) & 255), length: 3999 };
    expect(await pool.encodeWithOffsets(packed)).toEqual(tokenizer.encodeWithOffsets(packed));
    await expect(pool.encode(5 as unknown as string)).rejects.toThrow('expected a string, a Uint8Array of ASCII or packed DNA, got 5');
    await expect(pool.encode(Uint8Array.of(65, 200))).rejects.toThrow('expected ASCII bytes, got 0xc8 at 1');
  });
  it('encodes several sequences at the same time', async () => {
    const texts = [random(9000), 'AC'.repeat(4000), random(7000)];
    expect(await Promise.all(texts.map((text) => pool.encodeWithOffsets(text)))).toEqual(texts.map((text) => tokenizer.encodeWithOffsets(text)));
  });
  it('needs no shared memory, as in pages that are not cross-origin isolated', async () => {
    const shared = globalThis.SharedArrayBuffer, text = random(6000), alone = createEncoderPool(tokenizer, { threads: 2, blockLength: 1000 });
    try {
      delete (globalThis as Partial<typeof globalThis>).SharedArrayBuffer;
      expect(await alone.encode(text)).toEqual(tokenizer.encode(text));
      expect(await alone.encodeWithOffsets(text)).toEqual(tokenizer.encodeWithOffsets(text));
    } finally {
      globalThis.SharedArrayBuffer = shared;
      await alone.close();
    }
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

it.each([
  ['fused unknown letters', { model: { ...(dnabert2Subset() as { model: object }).model, fuse_unk: true } }, `${random(900)}${'N'.repeat(2000)}${random(1500)}`],
  ['a limit that the file sets', { truncation: { direction: 'Right', max_length: 64, strategy: 'LongestFirst', stride: 0 } }, random(4000)],
])('a file with %s', async (_, changes, text) => {
  const changed = parseTokenizerJson({ ...dnabert2Subset() as object, ...changes }), pool = createEncoderPool(changed, { threads: 2, blockLength: 500 });
  expect(await pool.encodeWithOffsets(text)).toEqual(changed.encodeWithOffsets(text));
  expect(await pool.encode(text)).toEqual(changed.encode(text));
  await pool.close();
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
