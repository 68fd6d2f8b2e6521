import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { gunzip, gunzipPortable } from './gunzip';

async function* inPieces(data: Uint8Array, length: number) {
  for (let at = 0; at < data.length; at += length) yield data.subarray(at, at + length);
}
const collect = async (chunks: AsyncIterable<Uint8Array>) => {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return Buffer.concat(list);
};
const paths = [['zlib', gunzip], ['fflate', gunzipPortable]] as const;
/** A gzip header with every optional field: extra, name, comment, header checksum. */
const decorated = (data: Uint8Array) => {
  const plain = gzipSync(data);
  const head = Buffer.from([31, 139, 8, 4 | 8 | 16, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0, 1, 2, 110, 0, 99, 0]);
  return Buffer.concat([head, plain.subarray(10)]);
};

describe.each(paths)('gunzip through %s', (_, inflate) => {
  test('any number of members of any size, cut anywhere', async () => {
    const member = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 200_000 }).map((n) => new Uint8Array(n).fill(65)));
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(member, fc.boolean()), { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 3000 }), async (members, length) => {
      const file = Buffer.concat(members.map(([data, dressed]) => (dressed ? decorated(data) : gzipSync(data))));
      expect((await collect(inflate(inPieces(file, length)))).equals(Buffer.concat(members.map(([data]) => data)))).toBe(true);
    }), { numRuns: 120 });
  });

  test('thousands of tiny members in one chunk, as BGZF has them', async () => {
    const file = Buffer.concat(Array.from({ length: 5000 }, (_, i) => gzipSync(Buffer.from([i]))));
    expect((await collect(inflate(inPieces(file, 1 << 20)))).equals(gunzipSync(file))).toBe(true);
  });

  test('every truncation inside a member is an error', async () => {
    const first = gzipSync('first member');
    const file = Buffer.concat([first, gzipSync(Buffer.from(Array.from({ length: 400 }, (_, i) => (i * i) & 255)))]);
    for (let length = 1; length < file.length; length++) {
      if (length === first.length) continue; // a complete file of one member
      for (const piece of [1, 7, 1000]) await expect(collect(inflate(inPieces(file.subarray(0, length), piece)))).rejects.toMatchObject({ name: 'FormatError', format: 'gzip' });
    }
  });

  test('no flipped bit passes unseen', async () => {
    const data = 'ACGT'.repeat(20) + 'GATTACA';
    const file = gzipSync(data);
    let unused = 0; // bits after the last code of the last block mean nothing: the data are intact
    for (let bit = 80; bit < 8 * file.length; bit++) {
      const broken = Buffer.from(file);
      broken[bit >> 3] ^= 1 << (bit & 7);
      const outcome = await collect(inflate(inPieces(broken, 1000))).catch((error: unknown) => error);
      if (Buffer.isBuffer(outcome) && outcome.toString() === data && ++unused < 8) continue;
      expect(outcome).toMatchObject({ name: 'FormatError', format: 'gzip' });
    }
  });

  test.each([['text', Buffer.from('ACGT')], ['zeros', Buffer.alloc(9)], ['one zero', Buffer.alloc(1)]])('%s after the last member is an error', async (_, rest) => {
    for (const piece of [1, 20, 1000]) await expect(collect(inflate(inPieces(Buffer.concat([gzipSync('x'), rest]), piece)))).rejects.toMatchObject({ name: 'FormatError' });
  });
});
