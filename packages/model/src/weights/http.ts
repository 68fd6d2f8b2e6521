// Files at an address: read by ranges, or downloaded once into a cache, going on where a download was cut off.
import { nodeModules } from './files';
import { checkRange, fileSource, type ByteSource } from './byteSource';

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** By default the platform's own. */
  readonly fetch?: ((input: string | URL, init?: RequestInit) => Promise<Response>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an address answers before anything of it is downloaded. */
export interface HttpFile {
  readonly url: string;
  readonly byteLength: number;
  /** The server's ETag or date of change: the same as long as the contents are. Undefined where the address itself never changes its contents: a commit on the hub. */
  readonly validator: string | undefined;
  /** False: the server gives whole files only, which can be downloaded, but not gone on with. */
  readonly ranges?: boolean | undefined;
}

async function request(url: string, range: string, { headers, fetch: get = fetch, signal }: HttpOptions): Promise<Response> {
  return get(url, { headers: { ...headers, range, 'accept-encoding': 'identity' }, signal: signal ?? null });
}

/** What a failed fetch says: the reason below "fetch failed", where there is one. */
export const reasonOf = (error: unknown): string => {
  const { message, cause } = error as { readonly message?: string; readonly cause?: { readonly message?: string; readonly code?: string } };
  return cause?.message || cause?.code || message || String(error);
};

const refuse = (url: string, { status, statusText }: Response): never => {
  throw new Error(`loadPretrained: expected ${url} to answer ranges (206), got ${status} ${statusText}; ${status === 200 ? 'download the folder, or use a server that answers them' : `check the address${status === 401 || status === 403 ? ' and the access token' : ''}`}`);
};

const validatorOf = ({ headers }: Response): string => headers.get('etag') ?? headers.get('last-modified') ?? '';

/** Size and validator of a file, or undefined if the server has none of that name. @throws Error for any other answer */
export async function describeUrl(url: string, options: HttpOptions): Promise<HttpFile | undefined> {
  const response = await request(url, 'bytes=0-0', options).catch((cause: unknown) => {
    options.signal?.throwIfAborted();
    throw new Error(`loadPretrained: expected ${url}, got no answer (${reasonOf(cause)}); check the address and the network`, { cause });
  });
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  const { status, headers } = response;
  const whole = status === 200 && !headers.has('content-encoding') ? headers.get('content-length') ?? undefined : undefined;
  const size = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] ?? (status === 416 ? '0' : whole);
  if ((status !== 206 && status !== 416 && status !== 200) || size === undefined) return refuse(url, response);
  return { url, byteLength: Number(size), validator: validatorOf(response), ranges: status !== 200 };
}

/** Ranges of a file, asked for one by one: nothing is stored. */
export function urlSource(file: HttpFile, options: HttpOptions): ByteSource {
  const { url, byteLength } = file;
  const source: ByteSource = {
    name: url,
    byteLength,
    async read(begin, end) {
      checkRange(source, begin, end);
      if (begin === end) return new Uint8Array(0);
      const bytes = new Uint8Array(end - begin);
      let at = 0;
      for await (const chunk of rangeOf(file, begin, end, options)) {
        bytes.set(chunk, at);
        at += chunk.length;
      }
      return bytes;
    },
    async close() {},
  };
  return source;
}

/** Attempts without any progress before a download gives up. */
const attempts = 4;

/** Bytes `begin` up to `end`; a connection that breaks off is taken up again where it stopped. */
async function* rangeOf({ url, byteLength, validator }: HttpFile, begin: number, end: number, options: HttpOptions): AsyncGenerator<Uint8Array, void, undefined> {
  let at = begin;
  for (let failed = 0; at < end; ) {
    options.signal?.throwIfAborted();
    const before = at;
    let broken: unknown;
    const response = await request(url, `bytes=${at}-${end - 1}`, options).catch((error: unknown) => { broken = error; return undefined; });
    if (response) {
      const isWhole = response.status === 200 && at === 0 && end === byteLength;
      if (response.status !== 206 && !isWhole) return refuse(url, response);
      const now = validatorOf(response);
      if (validator !== undefined && now !== validator) throw new Error(`loadPretrained: expected ${url} to stay ${JSON.stringify(validator)}, got ${JSON.stringify(now)}; it changed meanwhile, start again`);
      try {
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
          const wanted = chunk.subarray(0, end - at);
          at += wanted.length;
          yield wanted;
        }
      } catch (error) {
        broken = error;
      }
    }
    failed = at > before ? 0 : failed + 1;
    if (failed === attempts) throw new Error(`loadPretrained: expected bytes ${at} to ${end} of ${url}, got none in ${attempts} attempts; check the connection and start again: what was stored is kept`, { cause: broken });
  }
}

export interface DownloadOptions extends HttpOptions {
  /** Hexadecimal, if it is known: the finished file must have it. */
  readonly sha256?: string | undefined;
  onProgress?(done: number): void;
}

/** Downloads into `path` unless it is there in full. A part that is there already is not fetched again. The name appears only when size and sha256 are right. */
export async function download(file: HttpFile, path: string, options: DownloadOptions): Promise<ByteSource> {
  const { fs, crypto } = nodeModules('loadPretrained');
  const { size = -1 } = await fs.promises.stat(path).catch(() => ({ size: -1 }));
  if (size === file.byteLength) return fileSource(path);
  const part = `${path}.part`;
  const handle = await fs.promises.open(part, 'a+');
  try {
    const hash = crypto.createHash('sha256');
    let done = (await handle.stat()).size;
    if (done > file.byteLength || file.ranges === false) await handle.truncate(done = 0);
    if (done) for await (const chunk of fs.createReadStream(part)) hash.update(chunk as Uint8Array);
    for await (const chunk of rangeOf(file, done, file.byteLength, options)) {
      await handle.appendFile(chunk);
      hash.update(chunk);
      options.onProgress?.(done += chunk.length);
    }
    const [sha256, stored] = [hash.digest('hex'), (await handle.stat()).size];
    if (stored !== file.byteLength || (options.sha256 !== undefined && sha256 !== options.sha256)) {
      await fs.promises.rm(part, { force: true });
      throw new Error(`loadPretrained: expected ${file.url} with ${file.byteLength} bytes${options.sha256 ? ` and sha256 ${options.sha256}` : ''}, got ${stored} bytes with sha256 ${sha256}; the download was damaged or replaced, and is removed`);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.promises.rename(part, path);
  return fileSource(path);
}
