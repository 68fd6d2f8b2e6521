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
