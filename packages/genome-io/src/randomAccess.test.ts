import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openRandomAccess, type RandomAccessSource } from './randomAccess';

const data = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
let folder: string;
let server: Server;
let address: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const serveRange = (request: IncomingMessage, response: ServerResponse) => {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!.map(Number);
  if (first >= data.length) return void response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end();
  const end = Math.min(last, data.length - 1);
  response.writeHead(206, { 'content-range': `bytes ${first}-${end}/${data.length}`, etag: '"a"' }).end(data.subarray(first, end + 1));
};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'genome-io-'));
  writeFileSync(join(folder, 'data'), data);
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`;
});
beforeEach(() => { answer = serveRange; });
afterAll(() => { server.close(); server.closeAllConnections(); rmSync(folder, { recursive: true }); });

test.each<[string, () => RandomAccessSource]>([
  ['bytes', () => data], ['a Blob', () => new Blob([data])], ['a path', () => join(folder, 'data')], ['a file URL', () => pathToFileURL(join(folder, 'data'))],
  ['an address', () => address], ['a URL', () => new URL(address)],
  ['a handle', () => ({ stat: () => Promise.resolve({ size: data.length }), read: (length: number, position: number) => Promise.resolve(data.subarray(position, position + length)) })],
])('%s gives any range, short at the end, empty beyond it', async (_, source) => {
  const file = openRandomAccess(source());
  for (const [length, position] of [[10, 0], [300, 123_456], [600_000, 50_000], [100, data.length - 7], [5, data.length], [5, data.length + 99], [0, 3]]) {
    expect(Buffer.from(await file.read(length, position)).equals(data.subarray(position, position + length))).toBe(true);
  }
  expect(await file.stat()).toEqual({ size: data.length });
  await expect(file.read(1.5, 0)).rejects.toThrow(RangeError);
  await expect(file.read(1, -1)).rejects.toThrow(RangeError);
  await expect(file.read(1, 0, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  await file.close();
});

describe('HTTP', () => {
  test('a failure that may pass is tried again, a broken body too', async () => {
    let count = 0;
    answer = (request, response) => {
      if (count++ === 0) return void response.writeHead(503).end();
      if (count === 2) return void request.socket.destroy();
      serveRange(request, response);
    };
    expect(await openRandomAccess(address).read(3, 5)).toEqual(data.slice(5, 8));
    expect(count).toBe(3);
  });
  test('a server that gives less than it was asked for is asked for the rest', async () => {
    answer = (request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!.map(Number);
      request.headers.range = `bytes=${first}-${Math.min(last, first + 999)}`;
      serveRange(request, response);
    };
    const file = openRandomAccess(address);
    expect(await file.read(2500, 5)).toEqual(data.slice(5, 2505));
    expect(await file.read(2500, data.length - 1200)).toEqual(data.slice(-1200));
  });
  test.each([
    ['a failure that lasts', (response: ServerResponse) => response.writeHead(500).end(), /got 500/],
    ['not found', (response: ServerResponse) => response.writeHead(404).end(), /got 404 Not Found; check the address/],
    ['a server without ranges', (response: ServerResponse) => response.writeHead(200).end(data), /got 200 OK; this server ignores Range/],
    ['another range', (response: ServerResponse) => response.writeHead(206, { 'content-range': 'bytes 0-2/9' }).end('abc'), /got the range bytes 0-2\/9/],
    ['more than was asked for', (response: ServerResponse) => response.writeHead(206, { 'content-range': 'bytes 5-8/9' }).end('abcd'), /got the range bytes 5-8\/9/],
    ['a Content-Range that is hidden', (response: ServerResponse) => response.writeHead(206).end('abc'), /got 206 without a Content-Range; let the server show it/],
    ['fewer bytes than said', (response: ServerResponse) => response.writeHead(206, { 'content-range': 'bytes 5-7/9' }).end('a'), /expected 3 bytes/],
  ])('%s is an error', async (_, respond, message) => {
    answer = (_request, response) => respond(response);
    await expect(openRandomAccess(address, { retries: 0 }).read(3, 5)).rejects.toThrow(message);
  });
  test('a file that changes under the reader is an error', async () => {
    const file = openRandomAccess(address);
    await file.read(1, 0);
    answer = (_request, response) => response.writeHead(206, { 'content-range': `bytes 5-5/${data.length}`, etag: '"b"' }).end('a');
    await expect(file.read(1, 5)).rejects.toThrow(/to stay as it was opened/);
  });
  test('an abort ends the waiting between tries', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    const controller = new AbortController();
    const reading = openRandomAccess(address, { retries: 30, signal: controller.signal }).read(1, 0);
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(reading).rejects.toThrow('enough');
  });
  test('an abort under way ends with its reason also where fetch rejects with an error of its own, as in WebKit', async () => {
    answer = () => undefined;
    const [controller, { fetch }] = [new AbortController(), globalThis];
    globalThis.fetch = (...call) => fetch(...call).catch(() => Promise.reject(new DOMException('Fetch is aborted', 'AbortError')));
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(openRandomAccess(address, { signal: controller.signal }).read(1, 0)).rejects.toThrow('enough').finally(() => { globalThis.fetch = fetch; });
  });
});

test.each([[new ReadableStream() as never, /got a stream/], ['>a\nACGT', /sequence data/], [null as never, /got null/], [7 as never, /got number/]])('%p is refused', (source, message) => {
  expect(() => openRandomAccess(source)).toThrow(message);
});
test('a path that is not there is the system\'s error', () => expect(openRandomAccess('/no/such/file').read(1, 0)).rejects.toMatchObject({ code: 'ENOENT' }));
