import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { readBytes, type ByteSource, type ReadBytesOptions } from './byteSource';

const data = Buffer.from(`>a\n${'ACGTN\n'.repeat(200_000)}`);
const folder = mkdtempSync(join(tmpdir(), 'genome-io-'));
const path = join(folder, 'plain.data'); // names say nothing: the bytes decide
const zipped = join(folder, 'zipped.data');
writeFileSync(path, data);
writeFileSync(zipped, gzipSync(data));
const server = createServer((request, response) => (request.url === '/x' ? response.end(gzipSync(data)) : response.writeHead(404).end()));
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(() => { server.close(); rmSync(folder, { recursive: true }); });
const address = (name: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
const handle = (bytes: Uint8Array, most = Infinity) => ({ stat: async () => ({ size: bytes.length }), read: async (length: number, position: number) => bytes.subarray(position, position + Math.min(length, most)) });

const collect = async (source: ByteSource, signal?: AbortSignal) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBytes(source, { signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
};

test.each<[string, () => ByteSource]>([
  ['a path', () => path], ['the path of a gzip file', () => zipped], ['a file URL', () => pathToFileURL(zipped)],
  ['an address', () => address('x')], ['a URL', () => new URL(address('x'))],
  ['a Blob', () => new Blob([gzipSync(data)])], ['a File', () => new File([data], 'a.gz')],
  ['bytes', () => new Uint8Array(data)], ['a Buffer', () => gzipSync(data)],
  ['a stream', () => new Blob([data]).stream()], ['a file handle', () => handle(data)], ['a handle that reads in small steps', () => handle(gzipSync(data), 1000)],
])('%s gives the bytes', async (_, source) => {
  expect((await collect(source())).equals(data)).toBe(true);
});

test('sequence data instead of a path is an error that says so', () => {
  for (const text of ['>a\nACGT', '>a', '@read\nAC', ' >a', 'ACGT\nAC']) expect(() => readBytes(text)).toThrow('got sequence data');
  expect(() => readBytes(null as unknown as string)).toThrow('expected a path, URL, Blob, Uint8Array, ReadableStream or an object with read() and stat(), got null');
  expect(() => readBytes(7 as unknown as string)).toThrow(TypeError);
});

test('what cannot be opened fails with a reason', async () => {
  await expect(collect(join(folder, 'absent.fa'))).rejects.toThrow(/ENOENT.*absent\.fa/);
  await expect(collect(address('absent'))).rejects.toThrow('got 404');
  await expect(collect(folder)).rejects.toThrow('EISDIR');
});

test.each([['Zstandard', [0x28, 0xb5, 0x2f, 0xfd, 1]], ['bzip2', [...Buffer.from('BZh91AY')]], ['UTF-16 text', [0xff, 0xfe, 62, 0]]])('%s is named, not parsed', async (name, magic) => {
  await expect(collect(Uint8Array.from(magic))).rejects.toThrow(`expected plain text or gzip, got ${name}`);
});

test.each([NaN, -1, 1.5, Infinity])('a handle that claims %d bytes is refused', async (size) => {
  await expect(collect({ stat: async () => ({ size }), read: async () => new Uint8Array(1) })).rejects.toThrow('expected stat() to give a size');
});

test('a handle whose file is shorter than it said, or which gives too much, is refused', async () => {
  await expect(collect({ ...handle(data), stat: async () => ({ size: data.length + 1 }) })).rejects.toThrow(`bytes at ${data.length} of ${data.length + 1}, got 0`);
  await expect(collect({ stat: async () => ({ size: 3 }), read: async () => new Uint8Array(9) })).rejects.toThrow('got 9');
});

test('a signal stops the inflating of what was read', async () => {
  const controller = new AbortController();
  const reading = (async () => {
    for await (const chunk of readBytes(gzipSync(new Uint8Array(5_000_000)), { signal: controller.signal })) if (chunk.length > 0) controller.abort(new Error('stop'));
  })();
  await expect(reading).rejects.toThrow('stop');
});

test('an aborted signal stops each kind of source', async () => {
  for (const source of [path, address('x'), new Blob([data]), new Uint8Array(data), handle(data)]) await expect(collect(source, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
});

test('without a file system a path is refused with the remedy', async () => {
  const { getBuiltinModule } = process;
  try {
    Object.assign(process, { getBuiltinModule: undefined });
    await expect(collect('a.fa')).rejects.toThrow('there is no file system here');
    expect((await collect(new Uint8Array(gzipSync(data)))).equals(data)).toBe(true); // fflate takes over
  } finally {
    Object.assign(process, { getBuiltinModule });
  }
});

describe('HTTP', () => {
  type Answer = (request: IncomingMessage, response: ServerResponse) => void;
  const answers: Answer[] = []; // one an address, so that readers can wait for their second try together
  const faulty = createServer((request, response) => answers[Number(request.url!.slice(1))](request, response));
  beforeAll(() => new Promise<void>((resolve) => void faulty.listen(0, '127.0.0.1', resolve)));
  afterAll(() => { faulty.close(); faulty.closeAllConnections(); });
  const read = async (answer: Answer, options: ReadBytesOptions = {}, onChunk = () => {}) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of readBytes(`http://127.0.0.1:${(faulty.address() as AddressInfo).port}/${answers.push(answer) - 1}`, options)) {
      chunks.push(chunk);
      onChunk();
    }
    return Buffer.concat(chunks).equals(data);
  };
  const rest = (etag = '"a"', most = Infinity): Answer => (request, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')![1]);
    const piece = data.subarray(first, first + most);
    response.writeHead(206, { 'content-range': `bytes ${first}-${first + piece.length - 1}/${data.length}`, etag }).end(piece);
  };
  /** Breaks off once the reader has had a chunk. */
  const brokenOff = (headers: Record<string, string>, after: Answer) => {
    let socket: IncomingMessage['socket'] | undefined;
    return read((request, response) => {
      if (socket) return after(request, response);
      socket = request.socket;
      response.writeHead(200, { 'content-length': data.length, ...headers }).write(data.subarray(0, 1000));
    }, { retries: 1 }, () => socket?.destroy());
  };

  test('a failure that may pass is tried again; a body that breaks off goes on where it stopped, or is an error: never other bytes', async () => {
    let count = 0;
    const fails: Answer = (_, response) => (count++ === 0 ? response.writeHead(503).end() : response.end(data));
    const etag = '"a"';
    await Promise.all([
      expect(read(fails)).resolves.toBe(true),
      expect(brokenOff({ etag }, rest())).resolves.toBe(true),
      expect(brokenOff({ etag }, rest(etag, 400_000))).resolves.toBe(true), // less than was asked for
      expect(brokenOff({ etag }, rest('"b"'))).rejects.toThrow('to go on from byte 1000 with the same ETag'),
      expect(brokenOff({ etag }, (_, response) => response.end(data))).rejects.toThrow('to go on from byte 1000 with the same ETag, got 200'),
      expect(brokenOff({}, rest())).rejects.toThrow('broke off after 1000 bytes, and no strong ETag'),
      expect(brokenOff({ etag: 'W/"a"' }, rest('W/"a"'))).rejects.toThrow('no strong ETag'),
      expect(brokenOff({ etag }, (request) => request.socket.destroy())).rejects.toThrow('fetch failed'),
      expect(read((_, response) => response.writeHead(503).end(), { retries: 0 })).rejects.toThrow('got 503'),
    ]);
  });
});
