// BGZF by several threads: the same bytes in the same order, and the same errors.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bgzfCompress, bgzfDecompress } from './bgzf';
import { inflateBlocks } from './bgzfBlocks';
import { readBytes } from './byteSource';
import { createFastaIndex } from './faidx';
import { readFastaChunks } from './fasta';
import { readFastq } from './fastq';
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

describe('a file that threads read themselves', () => {
  let folder: string;
  let path: string;
  let file: Uint8Array;
  const text = noise(9_000_000);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'genome-io-threads-'));
    path = join(folder, 'text.gz');
    file = await bgzfCompress(text, { level: 0 });
    writeFileSync(path, file);
    await bgzfDecompress(path, { threads: 3 }); // so that threads are there from the first byte on
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('gives the same text, to readers side by side too', async () => {
    for (const all of await Promise.all([2, 3, 2].map((threads) => bgzfDecompress(path, { threads })))) expect(Buffer.from(all).equals(text)).toBe(true);
  });

  test.each([
    ['a flipped bit', (bytes: Uint8Array, at: number) => { bytes[at + 3000] ^= 1; return bytes; }],
    ['a header that is none', (bytes: Uint8Array, at: number) => { bytes[at] = 0; return bytes; }],
    ['a cut block', (bytes: Uint8Array, at: number) => bytes.subarray(0, at + 1000)],
    ['no block at the end', (bytes: Uint8Array) => bytes.subarray(0, -28)],
  ])('is refused with the same words and offset: %s', async (_, damage) => {
    const { blockOffsets } = await createGzi(file);
    const damaged = damage(file.slice(), blockOffsets[blockOffsets.length - 3]);
    writeFileSync(path, damaged);
    const said = (source: string | Uint8Array, threads: number) => bgzfDecompress(source, { threads }).then(() => undefined, (error: unknown) => error);
    const alone = await said(damaged, 1);
    expect(alone).toMatchObject({ name: 'FormatError', format: 'bgzf' });
    expect(await said(path, 3)).toEqual(alone);
    writeFileSync(path, file);
  });

  test.each([1, 3])('gives it in memory that is used again, when it may: %d threads', async (threads) => {
    const packed = join(folder, 'text.gzip');
    writeFileSync(packed, gzipSync(text, { level: 0 }));
    for (const source of [path, file, packed]) {
      const parts: Uint8Array[] = [];
      const memory = new Set<ArrayBufferLike>();
      for await (const chunk of readBytes(source, { threads, reuse: true })) {
        parts.push(new Uint8Array(chunk));
        if (source === path) memory.add(chunk.buffer);
        chunk.fill(0); // what it then holds is nobody's
      }
      expect(Buffer.concat(parts).equals(text)).toBe(true);
      if (threads === 1 && source === path) expect(memory.size).toBe(1);
    }
    let length = 0;
    for await (const chunk of readBytes(path, { threads, reuse: true })) {
      length += chunk.length;
      structuredClone(chunk.buffer, { transfer: [chunk.buffer as ArrayBuffer] }); // against the rule: it costs memory, nothing else
    }
    expect(length).toBe(text.length);
  });

  test('gives records that stay as they are when all of them are kept', async () => {
    const letters = Buffer.from(text.map((byte) => 'ACGT'.charCodeAt(byte & 3))).toString('latin1');
    const reads = Array.from({ length: 20_000 }, (_, i) => `@read${i}\n${letters.slice(400 * i, 400 * i + 150)}\n+\n${'I'.repeat(150)}\n`).join('');
    writeFileSync(path, await bgzfCompress(Buffer.from(reads), { level: 0 }));
    const kept: string[] = [];
    const records = [];
    for await (const record of readFastq(path, { threads: 2 })) records.push(record);
    for (const { name, sequence, quality } of records) kept.push(`@${name}\n${Buffer.from(sequence).toString()}\n+\n${Buffer.from(quality).toString()}\n`);
    expect(kept.join('') === reads).toBe(true);
    const fasta = Array.from({ length: 5 }, (_, i) => `>contig${i}\n${letters.slice(10_000 * i, 10_000 * i + 1_000_000).replace(/.{60}/g, '$&\n')}\n`);
    writeFileSync(path, await bgzfCompress(Buffer.from(fasta.join('')), { level: 0 }));
    const pieces = [];
    for await (const piece of readFastaChunks(path, { threads: 2, chunkLength: 300_000 })) pieces.push(piece.sequence);
    expect(Buffer.concat(pieces).toString('latin1') === fasta.join('').replace(/>.*|\n/g, '')).toBe(true);
    expect(await createFastaIndex(path, { threads: 2 })).toEqual(await createFastaIndex(Buffer.from(fasta.join(''))));
    writeFileSync(path, file);
  });

  test('ends when its reader does, and when it is told to', async () => {
    for await (const chunk of readBytes(path, { threads: 2 })) if (chunk.length > 0) break;
    const controller = new AbortController();
    const reason = new Error('enough');
    let read = 0;
    await expect((async () => {
      for await (const chunk of readBytes(path, { threads: 2, signal: controller.signal })) if ((read += chunk.length) > 5_000_000) controller.abort(reason);
    })()).rejects.toBe(reason);
    expect(read).toBeLessThan(7_000_000);
  });
});
