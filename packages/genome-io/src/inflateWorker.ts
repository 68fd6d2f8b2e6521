// A thread that inflates BGZF, runs that it is given or stretches that it reads, and ends when nothing came for ten seconds: a reader that follows then finds it warm. Runs from text in worker_threads: see tools/embed.mjs.
import { inflateRun } from './inflate';
import type { Work } from './inflatePool';
import { stretchReader } from './nextStretch';

const port = process.getBuiltinModule('node:worker_threads').parentPort!;
const end = setTimeout(() => process.exit(), 10_000);
const nextStretch = stretchReader();
port.on('message', (work: Work) => {
  const answer = 'fd' in work ? nextStretch(work, work.into) : inflateRun(work, work.into);
  const text = answer instanceof Uint8Array ? answer : answer?.text;
  port.postMessage(answer, text ? [text.buffer] : []);
  end.refresh();
});
port.postMessage('ready');
