// Encodes pieces for `createEncoderPool`. Runs from text in worker_threads and in browsers: see tools/embed.mjs.
import { createBpe, type BpeDefinition } from '../bpe';
import { buffersOf, encodeBlock } from './blocks';
import type { Reply, Task } from './thread';

function serve(definition: BpeDefinition, listen: (handle: (task: Task) => void) => void, reply: (message: Reply, transfer: Transferable[]) => void): void {
  const { tokenizer, ascii } = createBpe(definition);
  listen((task) => {
    const { number } = task;
    try {
      if ('items' in task) {
        const done = tokenizer.encodeBatch(task.items, task.options);
        return reply({ number, done }, [done.inputIds.buffer, done.cuSeqlens.buffer] as ArrayBuffer[]);
      }
      const done = ascii && encodeBlock(ascii, task.block);
      reply({ number, done }, done ? buffersOf(done.memory) : []);
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
