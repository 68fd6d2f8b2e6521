/** Milliseconds of work after which other events may run: timers, an abort, a page's frames. */
const breatheEvery = 100;

/** A function to await inside a loop. Devices that compute while they are called would keep the event loop out for as long as the loop runs. */
export function createBreather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < breatheEvery) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}

/** A function to await between steps, so that whatever happened meanwhile (a timer, a request, an abort) is seen before the next. */
export function createTurns(): () => Promise<void> {
  if (typeof setImmediate === 'function') return () => new Promise((resolve) => setImmediate(resolve));
  const { port1, port2 } = new MessageChannel(); // browsers hold setTimeout back to 4 ms
  return () => new Promise((resolve) => {
    port1.onmessage = () => resolve();
    port2.postMessage(undefined);
  });
}
