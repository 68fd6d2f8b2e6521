// Encodes pieces for `createEncoderPool`. Runs from text in worker_threads and in browsers: see tools/embed.mjs.
import { createBpe, type BpeDefinition } from '../bpe';
import { encodeBlock, type Block } from './blocks';
import type { EncodedBatch } from '../tokenizer';
import type { Reply, Task } from './thread';

function serve(definition: BpeDefinition, listen: (handle: (task: Task) => void) => void, reply: (message: Reply, transfer: Transferable[]) => void): void {
  const { tokenizer, ascii } = createBpe(definition);
  listen((task) => {
    const { number } = task;
    try {
      const done = 'items' in task ? tokenizer.encodeBatch(task.items, task.options) : ascii && encodeBlock(ascii, task.block);
      reply({ number, done }, done === undefined ? [] : buffersOf(done));
    } catch (error) {
      reply({ number, error }, []);
    }
  });
}

/** What is handed over; shared memory is there already. */
function buffersOf(done: Block | EncodedBatch): ArrayBuffer[] {
  const arrays = 'ids' in done ? [done.ids, done.offsets] : [done.inputIds, done.cuSeqlens];
  return arrays.flatMap((array) => (array?.buffer instanceof ArrayBuffer ? [array.buffer] : []));
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
