// What may pass over HTTP is tried again.
import type { ReadOptions } from './byteSource';

export interface HttpOptions extends ReadOptions {
  /** How often a failed HTTP request is tried again, after 0.2 s, 0.4 s, 0.8 s …; default 3. Only failures that may pass: no answer, a broken connection, 408, 429 and 5xx. */
  readonly retries?: number | undefined;
}

export const defaultRetries = 3;

/** What `read` makes of the answer, which must read no more than its body: where that breaks, all is asked for again. */
export async function request<T>(url: URL, headers: Record<string, string>, { retries = defaultRetries, signal }: HttpOptions, read: (response: Response) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    try {
      const response = await fetch(url, { headers, signal: signal ?? null });
      if (attempt === retries || !(response.status === 408 || response.status === 429 || response.status >= 500)) return await read(response);
      await response.body?.cancel();
    } catch (error) {
      signal?.throwIfAborted(); // WebKit's fetch rejects with an error of its own, not with the reason
      if (attempt === retries) throw error;
    }
    await pause(attempt, signal);
  }
}

/** Waits before the try after `attempt`, counted from 0. */
export const pause = (attempt: number, signal: AbortSignal | undefined) => new Promise<void>((resolve, reject) => {
  const stop = () => { clearTimeout(timer); reject(signal!.reason as Error); };
  const timer = setTimeout(() => { signal?.removeEventListener('abort', stop); resolve(); }, 200 * 2 ** attempt);
  signal?.addEventListener('abort', stop, { once: true });
});

/** First and last byte and the size of the file in a Content-Range; undefined where there is none that can be read. */
export function rangeOf(response: Response): { first: number; last: number; size: number } | undefined {
  const parts = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  return parts ? { first: Number(parts[1]), last: Number(parts[2]), size: Number(parts[3]) } : undefined;
}
