/** Returns a function to call often in a long computation: every 50 ms the event loop gets its turn, and an abort takes effect at every call. */
export function createPause(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    signal?.throwIfAborted();
    if (performance.now() - last < 50) return undefined;
    return new Promise((resume) => setTimeout(() => {
      last = performance.now();
      resume();
    }));
  };
}
