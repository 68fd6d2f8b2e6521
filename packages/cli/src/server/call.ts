// One request on its way: its body, its share of what all requests may take, and its answer.
import { HttpError, type RequestLimits } from './requests';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ModelService } from './modelService';

export interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly signal: AbortSignal;
  /** Takes room until the request is done with. @throws HttpError 503 where there is none now */
  hold(budget: Budget, units: number): void;
  sequences: number;
  tokens: number;
}

/** What all requests may take together. */
export interface Budget {
  readonly what: string;
  readonly room: number;
  taken: number;
}

/** What routes know of the server. */
export interface Shared {
  readonly service: ModelService;
  readonly limits: RequestLimits;
  readonly budgets: Readonly<Record<'bytes' | 'sequences' | 'tokens', Budget>>;
  seedOf(): number;
}

export function take(budget: Budget, units: number): void {
  const { what, room, taken } = budget;
  if (taken + units > room) throw new HttpError(503, `expected room for ${units} more ${what}, got ${taken} of ${room} taken; try again later`, { 'Retry-After': '1' });
  budget.taken += units;
}

/** @throws HttpError 413 for a body beyond the limit; what is left of it is read and thrown away, so that the client hears of it */
export async function readBody({ req, hold }: Call, bytes: Budget, { maxBodyBytes }: RequestLimits): Promise<Uint8Array> {
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

export function send(res: ServerResponse, status: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers }).end(bytes);
}

export interface Failure {
  readonly status: number;
  /** Where it is our own. */
  readonly fault?: unknown;
}

/** `{"detail": reason}`, as upstream's. */
export function fail(res: ServerResponse, error: unknown): Failure {
  const { status, message, headers } = error instanceof HttpError ? error : new HttpError(500, (error as Error).message);
  if (res.headersSent) res.destroy(); // in the midst of a stream: without its last chunk, so that nobody takes it for whole
  else send(res, status, { detail: message }, headers);
  return { status, ...(error instanceof HttpError ? {} : { fault: error }) };
}
