import { once } from 'node:events';
import { free } from '@genomelm/kernels';
import { storeWeights, isDecoder } from '@genomelm/model';
import { bytes, choice, decodingDeviceOptions, integer, UsageError, type Command, type Context } from '../command';
import { openDevice } from '../devices';
import { modelOptions, openPretrained } from '../pretrained';
import { createModelServer, type ModelServer, type RequestEvent } from '../server/modelServer';
import { createModelService } from '../server/modelService';
import type { AddressInfo } from 'node:net';

export const serve: Command = {
  name: 'serve',
  summary: "A model behind HTTP, as upstream's server: POST /generate, POST /embed, GET /health.",
  usage: 'MODEL [--port 8080]',
  options: {
    ...modelOptions,
    port: { type: 'string', short: 'p', value: 'N', help: 'default 8080; 0 takes a free one' },
    host: { type: 'string', value: 'ADDRESS', help: 'default 127.0.0.1: this machine alone; 0.0.0.0 lets everybody in, without a password' },
    batch: { type: 'string', value: 'N', help: 'sequences computed at once (default 32); changes no sequence' },
    'cache-tokens': { type: 'string', value: 'N', help: 'room of the cache, in tokens (default: 1024 a sequence, at most 1.5 GiB)' },
    'max-body': { type: 'string', value: 'BYTES', help: 'of one request (default 1MiB)' },
    'max-sequences': { type: 'string', value: 'N', help: 'of one request (default 256)' },
    'max-tokens': { type: 'string', value: 'N', help: 'of one request, those that may be drawn included (default 1048576)' },
    'max-waiting': { type: 'string', value: 'N', help: 'sequences of all requests together; 503 beyond (default 16384)' },
    grace: { type: 'string', value: 'SECONDS', help: 'what running requests may still take at the end (default 10)' },
    weights: { type: 'string', value: 'TYPE', help: 'of a decoder: float32 (default), float16, bfloat16 or int8' },
    cache: { type: 'string', value: 'TYPE', help: 'float32 (default), float16 or bfloat16' },
    seed: { type: 'string', value: 'N', help: 'of requests that name none (default: drawn for each, and told in the answer)' },
    ...decodingDeviceOptions,
  },
  async run(context) {
    const { values, positionals: [name], progress } = context;
    if (name === undefined) throw new UsageError('serve: expected a model, got nothing; see genomelm serve --help');
    const limits = { maxBodyBytes: bytes(context, 'max-body') ?? 2 ** 20, maxSequences: integer(context, 'max-sequences', 256), maxTokens: integer(context, 'max-tokens', 2 ** 20) };
    const [port, maxWaiting, grace] = [integer(context, 'port', 8080, { min: 0, max: 65_535 }), integer(context, 'max-waiting', 16_384), integer(context, 'grace', 10, { min: 0 })];
    const seed = values['seed'] === undefined ? undefined : integer(context, 'seed', 0, { min: 0, max: 2 ** 32 - 1 });
    const [weights, cacheType] = [choice(context, 'weights', ['float32', 'float16', 'bfloat16', 'int8'], 'float32'), choice(context, 'cache', ['float32', 'float16', 'bfloat16'], 'float32')];
    const engine = { maxSequences: integer(context, 'batch', 32), cacheType, cacheTokens: values['cache-tokens'] === undefined ? undefined : integer(context, 'cache-tokens', 0) };
    const device = await openDevice(context);
    try {
      const { model: opened, tokenizer } = await openPretrained(context, name, device);
      if (weights !== 'float32' && !isDecoder(opened)) throw new UsageError(`--weights: expected float32 for an encoder, got ${weights}`);
      const model = weights !== 'float32' && isDecoder(opened) ? storeWeights(opened, weights) : opened;
      const service = createModelService(model, tokenizer, limits, engine);
      const failed = new AbortController();
      const onRequest = (event: RequestEvent) => {
        log(context, event);
        if (service.statistics?.open === false) failed.abort();
      };
      const server = createModelServer({ service, limits, maxWaiting, seed, about: { model: name, device: device.kind }, onRequest });
      const url = await listen(server, port, typeof values['host'] === 'string' ? values['host'] : '127.0.0.1');
      context.print(context.json ? `${JSON.stringify({ event: 'ready', url, model: name, device: device.kind })}\n` : `genomelm: ${name} on ${device.kind} at ${url}\n`);
      await untilStopped(AbortSignal.any([context.signal, failed.signal]));
      const fault = failed.signal.aborted;
      await server.close({ graceMs: fault ? 0 : 1000 * grace });
      free(model.params);
      if (fault) throw new Error('serve: the engine failed; what is above says why');
    } finally {
      progress.finish();
      await device.destroy();
    }
  },
};

async function listen({ server }: ModelServer, port: number, host: string): Promise<string> {
  server.listen({ port, host, backlog: 4096 }); // Node's 511 make bursts of 1,000 connections wait for a second
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(`serve: expected a free port and an address of this machine, got ${host}:${port} (${cause.code}); see --port and --host`, { cause });
  });
  const { address, port: taken, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
}

/** SIGINT, SIGTERM, or a failure. */
async function untilStopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await Promise.race([once(signal, 'abort'), once(process, 'SIGTERM')]);
}

/** JSON lines with --json; else only what is our own fault. */
function log({ json }: Context, { error, ...event }: RequestEvent): void {
  const stack = error instanceof Error ? error.stack : error;
  if (json) process.stderr.write(`${JSON.stringify({ event: 'request', time: new Date().toISOString(), ...event, ...(error === undefined ? {} : { error: stack }) })}\n`);
  else if (error !== undefined) process.stderr.write(`genomelm: ${event.method} ${event.path}: ${String(stack)}\n`);
}
