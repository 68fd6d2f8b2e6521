// The HTTP side of `genomelm serve`: routes, limits, back-pressure, streams, and an end in good order. Node's own server, nothing else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { randomInt } from 'node:crypto';
import { fail, send, take, type Budget, type Call, type Failure, type Shared } from './call';
import { answerEmbed } from './embedRoute';
import { answerGenerate } from './generateRoute';
import { HttpError, type RequestLimits } from './requests';
import type { ModelService } from './modelService';

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

export function createModelServer({ service, limits, maxWaiting, seed, about, onRequest }: ServerOptions): ModelServer {
  const shared: Shared = {
    service, limits, seedOf: () => seed ?? randomInt(2 ** 32),
    budgets: {
      bytes: { what: 'bytes of requests', room: bodiesAtOnce * limits.maxBodyBytes, taken: 0 },
      sequences: { what: 'sequences', room: maxWaiting, taken: 0 },
      tokens: { what: 'tokens', room: tokensAtOnce * limits.maxTokens, taken: 0 },
    },
  };
  const active = new Set<AbortController>();
  let closing = false;
  const status = () => (closing ? 'closing' : service.statistics?.open === false ? 'failed' : 'ready');

  const health = ({ res }: Call): void => {
    const { running = 0, waiting = 0, steps = 0, newTokens = 0, cacheBytes = 0 } = service.statistics ?? {};
    send(res, status() === 'ready' ? 200 : 503, { status: status(), ...about, sequences: shared.budgets.sequences.taken, running, waiting, steps, new_tokens: newTokens, cache_bytes: cacheBytes });
  };

  const routes: Readonly<Record<string, { readonly method: string; readonly answer: (call: Call) => Promise<void> | void }>> = {
    '/generate': { method: 'POST', answer: (call) => answerGenerate(call, shared) }, '/embed': { method: 'POST', answer: (call) => answerEmbed(call, shared) }, '/health': { method: 'GET', answer: health },
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
