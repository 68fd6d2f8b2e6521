// BGZF by several threads: the same bytes in the same order, and the same errors.
import { bgzfCompress, bgzfDecompress } from './bgzf';
import { inflateBlocks } from './bgzfBlocks';
import { createGzi } from './gzi';

const noise = (length: number) => { let state = 1; return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24); };

test('threads give the text in its order, and name the damaged block', async () => {
  const text = noise(7_000_000);
  const file = await bgzfCompress(text, { level: 0 });
  for (const threads of [2, 3]) expect(Buffer.from(await bgzfDecompress(file, { threads })).equals(text)).toBe(true);
  const { blockOffsets } = await createGzi(file);
  const at = blockOffsets[blockOffsets.length - 3];
  const damaged = file.slice();
  damaged[at + 3000] ^= 1;
  await Promise.all([1, 2].map((threads) => expect(bgzfDecompress(damaged, { threads })).rejects.toMatchObject({ name: 'FormatError', format: 'bgzf', offset: at })));
});

test('a source may write over the chunk that it gave before, and cut blocks where it likes', async () => {
  const text = noise(6_000_000);
  const file = await bgzfCompress(text, { level: 0 });
  async function* chunks(longest: number) {
    const chunk = new Uint8Array(longest);
    let at = 0;
    for (const random of noise(100_000)) {
      if (at >= file.length) return;
      const piece = file.subarray(at, at += 1 + (random * longest >> 8));
      chunk.set(piece);
      yield chunk.subarray(0, piece.length);
      chunk.fill(0);
    }
  }
  for (const threads of [1, 3]) {
    for (const longest of [20_000, 2_000_000]) {
      const parts: Uint8Array[] = [];
      for await (const part of inflateBlocks(chunks(longest), threads)) parts.push(part);
      expect(Buffer.concat(parts).equals(text)).toBe(true);
    }
  }
});
