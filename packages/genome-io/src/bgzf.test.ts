import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { bgzfCompress, bgzfDecompress } from './bgzf';
import { fromVirtualOffset, openBgzf, toVirtualOffset } from './bgzfFile';
import { endOfFileBlock } from './bgzfHeader';
import { readBytes } from './byteSource';
import { createGzi, parseGzi, serializeGzi, type GziIndex } from './gzi';

const inPieces = (data: Uint8Array, length: number) => {
  let at = 0;
  return new ReadableStream<Uint8Array>({ pull(controller) { if (at >= data.length) return controller.close(); controller.enqueue(data.slice(at, at += length)); } });
};
const readAll = async (source: Uint8Array) => { const list = []; for await (const chunk of readBytes(source)) list.push(chunk); return Buffer.concat(list); };
/** Text that deflate shortens little, so that blocks are long. */
const noisy = (length: number, seed = 1) => { let state = seed; return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24); };

test.each([0, 1, 0xfeff, 0xff00, 0xff01, 200_000])('%i bytes there and back, in any pieces; gunzip agrees', async (length) => {
  const text = noisy(length);
  const file = await bgzfCompress(text);
  expect(Buffer.from(await bgzfDecompress(file)).equals(text)).toBe(true);
  expect(gunzipSync(file).equals(text)).toBe(true);
  expect((await readAll(file)).equals(text)).toBe(true);
  for (const piece of [700, 65_536]) {
    expect(Buffer.from(await bgzfCompress(inPieces(text, piece))).equals(file)).toBe(true);
    expect(Buffer.from(await bgzfDecompress(inPieces(file, piece))).equals(text)).toBe(true);
  }
});

test('levels change the size, never the text; a wrong level is refused', async () => {
  const text = new TextEncoder().encode('ACGTTGCA'.repeat(5000));
  const sizes = [];
  for (const level of [0, 1, 9]) {
    const file = await bgzfCompress(text, { level });
    expect(await bgzfDecompress(file)).toEqual(text);
    sizes.push(file.length);
  }
  expect(sizes[0]).toBeGreaterThan(sizes[1]);
  await expect(bgzfCompress(text, { level: 10 })).rejects.toThrow(/level from 0 to 9, got 10/);
});

describe('damage is an error that names the offset', () => {
  const text = noisy(150_000);
  let file: Uint8Array;
  let second: number;
  beforeAll(async () => {
    file = await bgzfCompress(text);
    second = (await createGzi(file)).blockOffsets[1];
  });
  const changed = (at: number, by = 1) => { const copy = file.slice(); copy[at] ^= by; return copy; };
  const both = async (bytes: Uint8Array, expected: object) => {
    await expect(bgzfDecompress(bytes)).rejects.toMatchObject({ name: 'FormatError', format: 'bgzf', ...expected });
    await expect(readAll(bytes)).rejects.toMatchObject({ name: 'FormatError', format: 'bgzf', ...expected });
  };

  test('no end-of-file block', () => both(file.subarray(0, -28), { offset: file.length - 28, message: expect.stringMatching(/the empty block that ends a BGZF file at byte \d+, got the end of the file/) }));
  test('a cut block', () => both(file.subarray(0, second + 5000), { offset: second, message: expect.stringMatching(/got the end of the file after 5000 bytes/) }));
  test('a cut header', () => both(file.subarray(0, second + 7), { offset: second }));
  test('a wrong checksum', () => both(changed(second - 8), { offset: 0, message: expect.stringMatching(/CRC-32/) }));
  test('a wrong length of text', () => both(changed(second - 4), { offset: 0 }));
  test('a text said to be longer than a block can be', () => both(changed(second - 1, 0x80), { offset: 0, message: expect.stringMatching(/at most 65536/) }));
  test('a flipped bit in the data', () => both(changed(second + 3000), { offset: second }));
  test('no header where the next block should be', () => both(changed(second), { offset: second }));
  test('a gzip member among the blocks', () => both(Buffer.concat([file, gzipSync('more')]), { offset: file.length }));
  test('a block shorter than its header', () => both(Buffer.concat([file.subarray(0, 16), Uint8Array.of(5, 0), file.subarray(18)]), { offset: 0 }));
  test('plain gzip is not BGZF', () => expect(bgzfDecompress(gzipSync('x'))).rejects.toThrow(/expected a block/));
  test('an empty file is not BGZF', () => expect(bgzfDecompress(new Uint8Array(0))).rejects.toMatchObject({ format: 'bgzf', offset: 0 }));
  test('random access finds the same', async () => {
    await expect(openBgzf(changed(second + 3000), { gzi: await createGzi(file) }).read(10, 70_000)).rejects.toMatchObject({ format: 'bgzf', offset: second });
    await expect(openBgzf(file.subarray(0, second + 5000), { gzi: await createGzi(file) }).read(10, 70_000)).rejects.toMatchObject({ offset: second });
  });
});

test('random access equals slices of the text, with a given index, a made one, and without a cache', async () => {
  const text = noisy(300_000);
  const file = await bgzfCompress(text);
  const gzi = serializeGzi(await createGzi(file));
  const files = [openBgzf(file, { gzi }), openBgzf(new Blob([file as BlobPart])), openBgzf(file, { cacheBytes: 0 })];
  await fc.assert(fc.asyncProperty(fc.nat(300_100), fc.oneof(fc.nat(200), fc.nat(300_100)), async (position, length) => {
    for (const each of files) expect(Buffer.from(await each.read(length, position)).equals(text.subarray(position, position + length))).toBe(true);
  }), { numRuns: 60 });
  for (const each of files) expect(await each.stat()).toEqual({ size: text.length });
  await expect(files[0].read(-1, 0)).rejects.toThrow(RangeError);
});

test('virtual offsets: pages follow one another through every block, empty ones too', async () => {
  const text = noisy(200_000);
  const one = await bgzfCompress(text);
  const file = openBgzf(Buffer.concat([one, one]));
  const list = [];
  for (let at = 0n; ; ) {
    const { bytes, next } = await file.readVirtual(at, 7001);
    if (bytes.length === 0) break;
    list.push(bytes);
    at = next;
  }
  expect(Buffer.concat(list).equals(Buffer.concat([text, text]))).toBe(true);
  expect(await file.stat()).toEqual({ size: 400_000 });
  expect(fromVirtualOffset(toVirtualOffset(2 ** 40, 65_535))).toEqual({ blockOffset: 2 ** 40, within: 65_535 });
  expect(() => toVirtualOffset(0, 65_536)).toThrow(RangeError);
});

test('.gzi: what is no index is refused', () => {
  for (const bytes of [new Uint8Array(7), new Uint8Array(9), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), new Uint8Array(24).fill(1, 0, 1), new Uint8Array(8).fill(255, 1)]) {
    expect(() => parseGzi(bytes)).toThrow(expect.objectContaining({ name: 'FormatError', format: 'gzi' }));
  }
  for (const none of [0, 255]) expect(serializeGzi(parseGzi(new Uint8Array(8).fill(none)))).toEqual(new Uint8Array(8)); // bgzip 1.16 writes -1
});

test('the empty file is one block, as bgzip writes it', async () => expect(await bgzfCompress(new Uint8Array(0))).toEqual(endOfFileBlock));

describe('a .gzi', () => {
  const text = noisy(300_000);
  let file: Uint8Array;
  let gzi: GziIndex;
  beforeAll(async () => {
    file = await bgzfCompress(text, { level: 1 });
    gzi = await createGzi(file);
  });

  test('of this file: each block is read once, and no more than it', async () => {
    const asked: number[][] = [];
    const handle = { stat: async () => ({ size: file.length }), read: async (length: number, position: number) => { asked.push([position, length]); return file.subarray(position, position + length); } };
    const opened = openBgzf(handle, { gzi });
    const { blockOffsets: [, second, third, fourth], textOffsets } = gzi;
    expect(await opened.read(300, textOffsets[1] + 10)).toEqual(text.subarray(textOffsets[1] + 10, textOffsets[1] + 310));
    expect(await opened.read(300, textOffsets[2] - 300)).toEqual(text.subarray(textOffsets[2] - 300, textOffsets[2]));
    expect(await opened.read(300, textOffsets[2] - 20)).toEqual(text.subarray(textOffsets[2] - 20, textOffsets[2] + 280));
    expect(asked).toEqual([[second, third - second], [third, fourth - third]]);
  });
  test('of this file: blocks that follow one another come with one read, up to 1 MiB', async () => {
    const asked: number[][] = [];
    const large = noisy(1_500_000);
    const packed = await bgzfCompress(large, { level: 0 });
    const handle = { stat: async () => ({ size: packed.length }), read: async (length: number, position: number) => { asked.push([position, length]); return packed.subarray(position, position + length); } };
    const opened = openBgzf(handle, { gzi: await createGzi(packed) });
    const { blockOffsets } = await opened.gzi();
    expect(Buffer.from(await opened.read(1_400_000, 70_000)).equals(large.subarray(70_000, 1_470_000))).toBe(true);
    const [[first, most], [second, rest]] = asked;
    expect([asked.length, first, most]).toEqual([2, blockOffsets[1], 1 << 20]);
    expect(blockOffsets.includes(second)).toBe(true);
    expect([second <= first + most, second + rest]).toEqual([true, blockOffsets[22] + 65_536]);
  });
  test('reads side by side, through a cache of two blocks, each get their own text', async () => {
    const opened = openBgzf(new Blob([file as BlobPart]), { gzi, cacheBytes: 1 << 17 });
    const places = Array.from({ length: 200 }, (_, i) => (i * 77_777) % 299_000);
    const found = await Promise.all(places.map((position) => opened.read(1000, position)));
    for (const [i, position] of places.entries()) expect(Buffer.from(found[i]).equals(text.subarray(position, position + 1000))).toBe(true);
  });
  test('that has a block begin within another is refused', async () => {
    for (const between of [3, 40]) {
      const wrong = { blockOffsets: Float64Array.of(0, between), textOffsets: Float64Array.of(0, 20) };
      await expect(openBgzf(file, { gzi: wrong }).read(10, 0)).rejects.toMatchObject({ format: 'bgzf', offset: 0, message: expect.stringMatching(`expected a block of at most ${between} bytes .* make the index again`) });
    }
  });
  test('of a file that becomes shorter while it is open: an error or less text, never other text', async () => {
    let size = file.length;
    const handle = { stat: async () => ({ size }), read: async (length: number, position: number) => file.subarray(position, Math.min(size, position + length)) };
    const opened = openBgzf(handle, { gzi });
    const { blockOffsets: [, , third], textOffsets } = gzi;
    await opened.read(5, 0);
    size = third + 100;
    await expect(opened.read(300, textOffsets[2] - 20)).rejects.toMatchObject({ format: 'bgzf', offset: third });
    size = third;
    expect(await opened.read(300, textOffsets[2] - 20)).toEqual(text.subarray(textOffsets[2] - 20, textOffsets[2]));
    size = file.length;
    expect(await opened.read(300, textOffsets[2] - 20)).toEqual(text.subarray(textOffsets[2] - 20, textOffsets[2] + 280));
  });
});
