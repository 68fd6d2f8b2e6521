// BGZF by several threads: the same bytes in the same order, and the same errors.
import { bgzfCompress, bgzfDecompress } from './bgzf';
import { createGzi } from './gzi';

const noise = (length: number) => { let state = 1; return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24); };

test('threads give what one thread gives, more than once, and name the damaged block', async () => {
  const text = noise(12_000_000);
  const file = await bgzfCompress(text, { level: 1 });
  for (const threads of [1, 2, 3, 2]) expect(Buffer.from(await bgzfDecompress(file, { threads })).equals(text)).toBe(true);
  const { blockOffsets } = await createGzi(file);
  const at = blockOffsets[blockOffsets.length - 3];
  const damaged = file.slice();
  damaged[at + 3000] ^= 1;
  await Promise.all([1, 2].map((threads) => expect(bgzfDecompress(damaged, { threads })).rejects.toMatchObject({ name: 'FormatError', format: 'bgzf', offset: at })));
});
