// The HTTP side of `genomelm serve`: routes, limits, back-pressure, streams, and an end in good order. Node's own server, nothing else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { HttpError, parseEmbed, parseGenerate, type RequestLimits } from './requests';
import type { ModelService, Sample } from './modelService';

/** A reader who takes nothing for so long is left. */
const stalledMs = 30_000;
/** Budgets of all requests together, as multiples of what one may ask. */
const [bodiesAtOnce, tokensAtOnce] = [256, 8];

export interface ServerOptions {
  readonly service: ModelService;
  readonly limits: RequestLimits;
  /** Sequences of all requests, under way and waiting; what comes beyond is sent away with 503. */
  readonly maxWaiting: number;
  /** For requests that name none; by default each draws its own, and is told. */
  readonly seed?: number | undefined;
  /** Stands in /health. */
  readonly about: Readonly<Record<string, string>>;
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
}

export interface RequestEvent {
  readonly method: string;
  readonly path: string;
  /** 499 where the client left first. */
  readonly status: number;
  readonly ms: number;
  readonly sequences: number;
  readonly tokens: number;
  /** What went wrong, where it was not the client. */
  readonly error?: unknown;
}

export interface ModelServer {
  readonly server: Server;
  /** Takes no more; lets what runs end for so long, then stops it within one step. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** One request on its way. */
interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly signal: AbortSignal;
  /** Takes room until the request is done with. @throws HttpError 503 where there is none now */
  hold(budget: Budget, units: number): void;
  sequences: number;
  tokens: number;
}

interface Budget {
  readonly what: string;
  readonly room: number;
  taken: number;
}

export function createModelServer({ service, limits, maxWaiting, seed, about, onRequest }: ServerOptions): ModelServer {
  const budgets = {
    bytes: { what: 'bytes of requests', room: bodiesAtOnce * limits.maxBodyBytes, taken: 0 },
    sequences: { what: 'sequences', room: maxWaiting, taken: 0 },
    tokens: { what: 'tokens', room: tokensAtOnce * limits.maxTokens, taken: 0 },
  };
  const active = new Set<AbortController>();
  let closing = false;
  const status = () => (closing ? 'closing' : service.statistics?.open === false ? 'failed' : 'ready');
  const seedOf = () => seed ?? randomInt(2 ** 32);

  const generate = async (call: Call): Promise<void> => {
    const { instances, stream } = parseGenerate(await readBody(call, budgets.bytes, limits), limits, seedOf);
    call.sequences = instances.reduce((total, { num }) => total + num, 0);
    call.hold(budgets.sequences, call.sequences);
    const samples = service.generate(instances, (tokens) => call.hold(budgets.tokens, call.tokens = tokens));
    const stop = () => samples.forEach(({ events }) => void events.return!());
    call.signal.addEventListener('abort', stop);
    try {
      if (stream) return await streamSamples(call, samples, service);
      const done = await Promise.all(samples.map(collect));
      whole(call);
      const of = (i: number) => done.filter((_, k) => samples[k].instance === i);
      send(call.res, 200, { predictions: instances.map(({ options }, i) => ({ sequences: of(i).map(({ ids }) => service.textOf(ids)), finish_reasons: of(i).map(({ finishReason }) => finishReason), seed: options.seed })) });
    } finally {
      call.signal.removeEventListener('abort', stop);
      stop(); // one that failed takes the others with it
    }
  };

  const embed = async (call: Call): Promise<void> => {
    const instances = parseEmbed(await readBody(call, budgets.bytes, limits), limits);
    const sequences = instances.flat();
    const { tokens, truncated } = service.measure(sequences);
    Object.assign(call, { sequences: sequences.length, tokens });
    call.hold(budgets.sequences, sequences.length);
    call.hold(budgets.tokens, tokens);
    const vectors = (await service.embed(sequences, call.signal)).map((vector) => [...vector]);
    send(call.res, 200, { predictions: instances.map(({ length }) => ({ embeddings: vectors.splice(0, length) })), ...(truncated ? { truncated } : {}) });
  };

  const health = ({ res }: Call): void => {
    const { running = 0, waiting = 0, steps = 0, newTokens = 0, cacheBytes = 0 } = service.statistics ?? {};
    send(res, status() === 'ready' ? 200 : 503, { status: status(), ...about, sequences: budgets.sequences.taken, running, waiting, steps, new_tokens: newTokens, cache_bytes: cacheBytes });
  };

  const routes: Readonly<Record<string, { readonly method: string; readonly answer: (call: Call) => Promise<void> | void }>> = {
    '/generate': { method: 'POST', answer: generate }, '/embed': { method: 'POST', answer: embed }, '/health': { method: 'GET', answer: health },
  };

  const answer = async (call: Call, method: string, path: string): Promise<void> => {
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!route) throw new HttpError(404, `expected one of ${Object.keys(routes).join(', ')}, got ${path}`);
    if (method !== route.method) throw new HttpError(405, `${path}: expected ${route.method}, got ${method}`, { Allow: route.method });
    if (path !== '/health' && status() !== 'ready') throw new HttpError(503, `expected a server that is ready, got one that is ${status()}`);
    await route.answer(call);
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const [began, abort, held] = [performance.now(), new AbortController(), new Map<Budget, number>()];
    const [method, path] = [req.method ?? '', (req.url ?? '').split('?', 1)[0]];
    const hold = (budget: Budget, units: number) => {
      take(budget, units);
      held.set(budget, (held.get(budget) ?? 0) + units);
    };
    const call: Call = { req, res, signal: abort.signal, hold, sequences: 0, tokens: 0 };
    let [left, failure]: [boolean, Failure | undefined] = [false, undefined];
    active.add(abort);
    res.on('error', () => undefined); // the client is gone: 'close' follows
    res.once('close', () => { left = !res.writableFinished; abort.abort(); });
    if (closing) res.shouldKeepAlive = false;
    try {
      await answer(call, method, path);
    } catch (error) {
      if (!left) failure = fail(res, error);
    } finally {
      for (const [budget, units] of held) budget.taken -= units;
      active.delete(abort);
    }
    onRequest?.({ method, path, status: left ? 499 : failure?.status ?? res.statusCode, ms: Math.round(performance.now() - began), sequences: call.sequences, tokens: call.tokens, ...(failure?.fault === undefined ? {} : { error: failure.fault }) });
  };

  const idle = async (ms: number): Promise<void> => {
    for (const end = performance.now() + ms; active.size && performance.now() < end;) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  const server = createServer((req, res) => void handle(req, res));
  return {
    server,
    async close({ graceMs = 10_000 } = {}) {
      closing = true;
      server.close();
      await idle(graceMs);
      for (const abort of active) abort.abort();
      await idle(1000); // until they are told
      server.closeAllConnections();
      await service.close();
    },
  };
}

function take(budget: Budget, units: number): void {
  const { what, room, taken } = budget;
  if (taken + units > room) throw new HttpError(503, `expected room for ${units} more ${what}, got ${taken} of ${room} taken; try again later`, { 'Retry-After': '1' });
  budget.taken += units;
}

/** @throws HttpError 413 for a body beyond the limit; what is left of it is read and thrown away, so that the client hears of it */
async function readBody({ req, hold }: Call, bytes: Budget, { maxBodyBytes }: RequestLimits): Promise<Uint8Array> {
  const tooLarge = () => new HttpError(413, `expected a body of at most ${maxBodyBytes} bytes, got more; ask in several requests`);
  if (Number(req.headers['content-length']) > maxBodyBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let [size, refused] = [0, false];
  await new Promise<void>((resolve, reject) => {
    req.on('data', (chunk: Uint8Array) => {
      if (refused) return;
      try {
        size += chunk.length;
        if (size > maxBodyBytes) throw tooLarge();
        hold(bytes, chunk.length);
        chunks.push(chunk);
      } catch (error) {
        refused = true;
        reject(error as Error);
      }
    });
    req.once('end', resolve);
    req.once('error', reject);
    req.once('close', () => reject(new Error('the client left')));
  });
  return Buffer.concat(chunks);
}

/** @throws HttpError 503 for sequences that were broken off as the server stops */
function whole({ signal }: Call): void {
  if (signal.aborted) throw new HttpError(503, 'expected a server that is ready, got one that is closing');
}

async function collect({ events }: Sample): Promise<{ ids: readonly number[]; finishReason: string }> {
  const ids: number[] = [];
  let finishReason = 'cancelled';
  for await (const event of events) {
    ids.push(event.id);
    finishReason = event.finishReason ?? finishReason;
  }
  return { ids, finishReason };
}

/** A line for each token as it is drawn; the last of a sequence has all of it. Whoever reads slowly holds up his own sequences alone. */
async function streamSamples(call: Call, samples: readonly Sample[], { textOf }: ModelService): Promise<void> {
  const { res, signal } = call;
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  let draining: Promise<unknown> | undefined;
  const write = async (line: object): Promise<void> => {
    if (signal.aborted || res.write(`${JSON.stringify(line)}\n`)) return;
    const stalled = () => { throw new HttpError(408, `expected a reader that takes something within ${stalledMs / 1000} s, got one that did not`); };
    draining ??= once(res, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stalledMs)]) }).catch(stalled).finally(() => { draining = undefined; });
    await draining;
  };
  await Promise.all(samples.map(async ({ instance, sample, seed, events }) => {
    const ids: number[] = [];
    for await (const { id, logProb, finishReason } of events) {
      const before = ids.slice(-1);
      ids.push(id);
      const bases = textOf([...before, id]).slice(textOf(before).length);
      await write({ instance, sample, bases, log_prob: logProb, ...(finishReason && { finish_reason: finishReason, seed, sequence: textOf(ids) }) });
    }
  }));
  whole(call);
  res.end();
}

function send(res: ServerResponse, status: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers }).end(bytes);
}

interface Failure {
  readonly status: number;
  /** Where it is our own. */
  readonly fault?: unknown;
}

/** `{"detail": reason}`, as upstream's. */
function fail(res: ServerResponse, error: unknown): Failure {
  const { status, message, headers } = error instanceof HttpError ? error : new HttpError(500, (error as Error).message);
  if (res.headersSent) res.destroy(); // in the midst of a stream: without its last chunk, so that nobody takes it for whole
  else send(res, status, { detail: message }, headers);
  return { status, ...(error instanceof HttpError ? {} : { fault: error }) };
}
