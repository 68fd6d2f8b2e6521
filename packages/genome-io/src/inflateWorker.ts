// A thread that inflates runs of BGZF, and ends when none came for a second. Runs from text in worker_threads: see tools/embed.mjs.
import { inflateRun, type Run } from './inflate';

const port = process.getBuiltinModule('node:worker_threads').parentPort!;
const end = setTimeout(() => process.exit(), 1000);
port.on('message', (run: Run) => {
  const text = inflateRun(run);
  port.postMessage(text, text ? [text.buffer] : []);
  end.refresh();
});
port.postMessage('ready');
