// Encodes pieces for `createEncoderPool`. Runs from text in worker_threads and in browsers: see tools/embed.mjs.
import { createBpeTokenizer, type BpeDefinition } from '../bpe';
import type { Reply, Task } from './encoderPool';

function serve(definition: BpeDefinition, listen: (handle: (task: Task) => void) => void, reply: (message: Reply, transfer: Transferable[]) => void): void {
  const tokenizer = createBpeTokenizer(definition);
  listen(({ number, work, options }) => {
    try {
      const done = typeof work !== 'string' ? tokenizer.encodeBatch(work, options) : tokenizer.isPlain(work) ? tokenizer.encodeWithOffsets(work, options) : undefined;
      reply({ number, done }, done === undefined ? [] : 'ids' in done ? [done.ids.buffer, done.offsets.buffer] : [done.inputIds.buffer, done.cuSeqlens.buffer]);
    } catch (error) {
      reply({ number, error }, []);
    }
  });
}

interface BrowserScope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}
declare const postMessage: unknown; // of web workers, in browsers, Deno and Bun
if (typeof postMessage === 'undefined') {
  const port = process.getBuiltinModule('node:worker_threads').parentPort!;
  port.once('message', (definition: BpeDefinition) => serve(definition, (handle) => port.on('message', handle), (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[])));
} else {
  const scope = globalThis as unknown as BrowserScope;
  scope.onmessage = ({ data }) => serve(data as BpeDefinition, (handle) => { scope.onmessage = (event) => handle(event.data as Task); }, (message, transfer) => scope.postMessage(message, transfer));
}
