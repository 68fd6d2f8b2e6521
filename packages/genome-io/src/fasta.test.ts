import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { readFasta, readFastaChunks, type FastaRecord } from './fasta';
import { FormatError } from './formatError';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (sequence: Uint8Array) => new TextDecoder().decode(sequence);
const readAll = async (source: Uint8Array | ReadableStream<Uint8Array>, options = {}) => {
  const records: [string, string, string][] = [];
  for await (const { name, description, sequence } of readFasta(source, options)) records.push([name, description, text(sequence)]);
  return records;
};
/** A stream that delivers `data` in pieces of the given lengths, again and again. */
const inPieces = (data: Uint8Array, lengths: readonly number[]) => {
  let at = 0;
  let turn = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= data.length) return controller.close();
      const length = lengths[turn++ % lengths.length];
      controller.enqueue(data.slice(at, at + length));
      at += length;
    },
  });
};

test.each([
  ['two records', '>a one two\nACGT\nAC\n>b\nGG\n', [['a', 'one two', 'ACGTAC'], ['b', '', 'GG']]],
  ['CRLF', '>a x\r\nAC\r\nGT\r\n', [['a', 'x', 'ACGT']]],
  ['a carriage return at the very end', '>a\r\nAC\r', [['a', '', 'AC']]],
  ['no line end at the end', '>a\nAC\nG', [['a', '', 'ACG']]],
  ['no sequence at the end', '>a\nAC\n>b', [['a', '', 'AC'], ['b', '', '']]],
  ['empty lines anywhere', '\n\r\n>a\n\nAC\n\n\nGT\n\n>b\nA', [['a', '', 'ACGT'], ['b', '', 'A']]],
  ['an empty file', '', []],
  ['only empty lines', '\n\n \n', []],
  ['blanks in sequence lines', '>a\nAC GT\tAC \n', [['a', '', 'ACGTAC']]],
  ['tabs and runs of blanks after the name', '>a\t one  two \n', [['a', 'one  two', '']]],
  ['an empty header', '>\nAC\n> b c\nGT', [['', '', 'AC'], ['', 'b c', 'GT']]],
  ['a second > in a header', '>a>b >c\nAC', [['a>b', '>c', 'AC']]],
  ['a byte order mark', '\ufeff>a\nAC', [['a', '', 'AC']]],
  ['letters beyond ASCII in a header', '>a Ünïcode 細胞\nAC', [['a', 'Ünïcode 細胞', 'AC']]],
  ['gaps, stops, ambiguity codes, lower case', '>a\nacgtN-.*RYK\n', [['a', '', 'acgtN-.*RYK']]],
] as const)('reads %s', async (_, file, expected) => {
  expect(await readAll(bytes(file))).toEqual(expected);
  expect(await readAll(gzipSync(file))).toEqual(expected);
  expect(await readAll(inPieces(bytes(file), [1]))).toEqual(expected);
});

test.each([
  ['text before the first >', '# note\n>a\nAC', 1, /'>' before anything else at line 1, column 1, got "#"/],
  ['a sequence without a header', '\n\nACGT\n', 3, /'>' before anything else at line 3/],
  ['a > inside a line', '>a\nAC>b\nGT', 2, /line 2, column 3, got ">"; a header starts its own line/],
  ['a number', '>a\nACGT\n10 ACGT', 3, /residues \(letters, \* - or \.\) at line 3, column 1, got "1"/],
  ['a NUL byte in a sequence', '>a\nAC\0GT', 2, /line 2, column 3, got byte 0x00/],
  ['a NUL byte in a header', '>a\0\nAC', 1, /a NUL byte/],
  ['a lone carriage return (old Macintosh)', '>a\rACGT\r>b', 1, /line feed after the carriage return at line 1, column 4, got "A"/],
  ['part of a byte order mark', new Uint8Array([0xef, 0xbb, 62, 97]), 1, /'>' before anything else/],
  ['a header in another encoding', new Uint8Array([62, 97, 0xe9, 10, 65]), 1, /headers in UTF-8/],
])('refuses %s and says where', async (_, file, line, message) => {
  for (const lengths of [[1], [2, 3], [1000]]) {
    const error = await readAll(inPieces(typeof file === 'string' ? bytes(file) : file, lengths)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({ format: 'fasta', line, message: expect.stringMatching(message) });
  }
});

test('limits protect against hostile lengths', async () => {
  await expect(readAll(bytes(`>a\nACGT\nACGT`), { maxSequenceLength: 7 })).rejects.toThrow('expected a sequence of at most 7 residues at line 3');
  expect(await readAll(bytes('>a\nACGTACG\n>b\nACGTACG'), { maxSequenceLength: 7 })).toHaveLength(2);
  await expect(readAll(bytes(`>${'a'.repeat(1 << 21)}`))).rejects.toThrow('expected a header of at most 1048576 bytes at line 1');
  expect(() => readFasta(bytes(''), { maxSequenceLength: -1 })).toThrow(RangeError);
});

test('truncated gzip is an error that names the line reached and keeps its cause', async () => {
  const whole = gzipSync(`>a\n${'ACGTTGCA\n'.repeat(50_000)}`, { level: 1 });
  const seen: FastaRecord[] = [];
  const error = await (async () => {
    for await (const record of readFasta(whole.subarray(0, whole.length - 20))) seen.push(record);
  })().catch((e: unknown) => e);
  expect(seen).toEqual([]); // the record was not complete
  expect(error).toMatchObject({ name: 'FormatError', format: 'gzip', message: expect.stringMatching(/ends too early.*line \d+/) });
  expect((error as FormatError).line).toBeGreaterThan(40_000);
  expect((error as FormatError).cause).toBeInstanceOf(FormatError);
});

test('the same records whatever the chunks, the compression and the line ends', async () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'B', '7', '|', 'é', '>'), maxLength: 6 });
  const words = fc.array(fc.string({ unit: fc.constantFrom('x', 'ß', '=', '>'), minLength: 1, maxLength: 4 }), { maxLength: 3 }).map((list) => list.join(' '));
  const residues = fc.string({ unit: fc.constantFrom('A', 'c', 'G', 't', 'N', '-', '*'), maxLength: 60 });
  const record = fc.record({ name, words, residues, width: fc.integer({ min: 1, max: 20 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 6 }), fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\n'), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), fc.boolean(), async (records, lineEnd, lengths, lastEnd) => {
      const lines = records.flatMap(({ name, words, residues, width }) => [`>${name} ${words}`, ...(residues.match(new RegExp(`.{1,${width}}`, 'g')) ?? [])]);
      const file = bytes(lines.join(lineEnd) + (lastEnd ? lineEnd : ''));
      const expected = records.map(({ name, words, residues }) => [name, words, residues]);
      expect(await readAll(inPieces(file, lengths))).toEqual(expected);
      const half = Math.floor(file.length / 2); // two members, cut anywhere, even inside a letter
      expect(await readAll(inPieces(Buffer.concat([gzipSync(file.subarray(0, half)), gzipSync(file.subarray(half))]), lengths))).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});

test('a sequence far longer than one piece comes back whole', async () => {
  const sequence = Uint8Array.from({ length: 3_000_001 }, (_, i) => 'ACGT'.charCodeAt((i * i) % 4 ^ (i >> 7 & 3)));
  const [record] = await readAll(Buffer.concat([bytes('>long\n'), sequence, bytes('\n>next\nA')]));
  expect(record[2] === text(sequence)).toBe(true);
});

describe('reading follows the consumer', () => {
  const endless = () => {
    const state = { pulled: 0, cancelled: false };
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) { controller.enqueue(bytes(`>r${state.pulled++}\nACGT\n`)); },
      cancel() { state.cancelled = true; },
    }, { highWaterMark: 0 });
    return { state, stream };
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

  test('a consumer that stops early cancels an endless source, which was read no further than needed', async () => {
    const { state, stream } = endless();
    let count = 0;
    for await (const { name } of readFasta(stream)) {
      expect(name).toBe(`r${count}`);
      if (++count === 3) break;
    }
    expect(state.cancelled).toBe(true);
    expect(state.pulled).toBeLessThanOrEqual(8);
  });

  test('a slow consumer holds the source back', async () => {
    const { state, stream } = endless();
    const records = readFasta(stream);
    await records.next();
    const before = state.pulled;
    await pause();
    expect(state.pulled).toBe(before);
    await records.return();
    expect(state.cancelled).toBe(true);
  });

  test('the same through gzip, where zlib may hold a few chunks', async () => {
    const state = { pulled: 0, cancelled: false };
    const member = gzipSync(`>r\n${'ACGT'.repeat(50_000)}\n`);
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) { state.pulled++; controller.enqueue(member); },
      cancel() { state.cancelled = true; },
    }, { highWaterMark: 0 });
    const records = readFasta(stream);
    await records.next();
    await pause();
    const before = state.pulled;
    await pause();
    expect(state.pulled).toBe(before);
    await records.return();
    expect(state.cancelled).toBe(true);
  });

  test('an AbortSignal ends the reading with its reason', async () => {
    const { state, stream } = endless();
    const controller = new AbortController();
    const reading = (async () => {
      for await (const { name } of readFasta(stream, { signal: controller.signal })) if (name === 'r5') controller.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
    expect(state.cancelled).toBe(true);
  });
});

test('pieces of records are the records, cut at every length', async () => {
  const text = '>one a b\nACGT\nAC GT\n\nA\n>none\n>two\nTT';
  const source = () => new ReadableStream<Uint8Array>({ start(controller) { for (const byte of new TextEncoder().encode(text)) controller.enqueue(Uint8Array.of(byte)); controller.close(); } });
  for (let chunkLength = 1; chunkLength <= 10; chunkLength++) {
    for (const from of [source, () => new TextEncoder().encode(text)]) {
      const joined: string[] = [];
      let open = '';
      for await (const { name, description, start, sequence, last } of readFastaChunks(from(), { chunkLength })) {
        expect(start).toBe(open.length);
        if (!last) expect(sequence).toHaveLength(chunkLength);
        open += new TextDecoder().decode(sequence);
        if (last) { joined.push(`${name}|${description}|${open}`); open = ''; }
      }
      expect(joined).toEqual(['one|a b|ACGTACGTA', 'none||', 'two||TT']);
    }
  }
  expect(() => readFastaChunks(text, { chunkLength: 0 })).toThrow(RangeError);
});
