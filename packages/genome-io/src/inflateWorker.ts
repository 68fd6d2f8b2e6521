// A thread that inflates runs of BGZF. Runs from text in worker_threads: see tools/embed.mjs.
import { inflateRun, type Run } from './inflate';

const port = process.getBuiltinModule('node:worker_threads').parentPort!;
port.on('message', (run: Run) => {
  const text = inflateRun(run);
  port.postMessage(text, text ? [text.buffer] : []);
});
port.postMessage('ready');
