import { once } from 'node:events';
import { HttpError, parseGenerate } from './requests';
import { readBody, send, type Call, type Shared } from './call';
import type { ModelService, Sample } from './modelService';

/** A reader who takes nothing for so long is left. */
const stalledMs = 30_000;

/** `POST /generate`, as upstream: all sequences at once, or with `stream` token by token. */
export async function answerGenerate(call: Call, { service, limits, budgets, seedOf }: Shared): Promise<void> {
  const { instances, stream } = parseGenerate(await readBody(call, budgets.bytes, limits), limits, seedOf);
  call.sequences = instances.reduce((total, { num }) => total + num, 0);
  call.hold(budgets.sequences, call.sequences);
  const samples = service.generate(instances, (tokens) => call.hold(budgets.tokens, call.tokens = tokens));
  const stop = () => samples.forEach(({ events }) => void events.return!());
  call.signal.addEventListener('abort', stop);
  try {
    if (stream) return await streamSamples(call, samples, service);
    const done = await Promise.all(samples.map(collect));
    whole(call);
    const of = (i: number) => done.filter((_, k) => samples[k].instance === i);
    send(call.res, 200, { predictions: instances.map(({ options }, i) => ({ sequences: of(i).map(({ ids }) => service.textOf(ids)), finish_reasons: of(i).map(({ finishReason }) => finishReason), seed: options.seed })) });
  } finally {
    call.signal.removeEventListener('abort', stop);
    stop(); // one that failed takes the others with it
  }
}

/** @throws HttpError 503 for sequences that were broken off as the server stops */
function whole({ signal }: Call): void {
  if (signal.aborted) throw new HttpError(503, 'expected a server that is ready, got one that is closing');
}

async function collect({ events }: Sample): Promise<{ ids: readonly number[]; finishReason: string }> {
  const ids: number[] = [];
  let finishReason = 'cancelled';
  for await (const event of events) {
    ids.push(event.id);
    finishReason = event.finishReason ?? finishReason;
  }
  return { ids, finishReason };
}

/** A line for each token as it is drawn; the last of a sequence has all of it. Whoever reads slowly holds up his own sequences alone. */
async function streamSamples(call: Call, samples: readonly Sample[], { textOf }: ModelService): Promise<void> {
  const { res, signal } = call;
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  let draining: Promise<unknown> | undefined;
  const write = async (line: object): Promise<void> => {
    if (signal.aborted || res.write(`${JSON.stringify(line)}\n`)) return;
    const stalled = () => { throw new HttpError(408, `expected a reader that takes something within ${stalledMs / 1000} s, got one that did not`); };
    draining ??= once(res, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stalledMs)]) }).catch(stalled).finally(() => { draining = undefined; });
    await draining;
  };
  await Promise.all(samples.map(async ({ instance, sample, seed, events }) => {
    const ids: number[] = [];
    for await (const { id, logProb, finishReason } of events) {
      const before = ids.slice(-1);
      ids.push(id);
      const bases = textOf([...before, id]).slice(textOf(before).length);
      await write({ instance, sample, bases, log_prob: logProb, ...(finishReason && { finish_reason: finishReason, seed, sequence: textOf(ids) }) });
    }
  }));
  whole(call);
  res.end();
}
