// genomelm serve against upstream's contract and the library, in this process and on loopback alone.
import { request } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { embed, generate, savePretrained, type GenerateOptions } from '@genomelm/model';
import { serve } from '../src/commands/serve';
import { ask, json, limits, startServer, tokenizer, type Answer, type Running } from './tinyServer';
import { freshFolder } from './genomelm';

let running: Running;
beforeAll(async () => { running = await startServer(); });
afterAll(() => running.stop());
const post = (path: string, body: unknown) => ask(running.port, path, body);
const sampled = async (prompt: string, options: GenerateOptions): Promise<string[]> => {
  const sequences: string[] = [];
  for await (const { sequence } of generate(running.model, tokenizer, [prompt], options)) sequences.push(sequence);
  return sequences;
};

describe("upstream's contract", () => {
  test('health', async () => {
    const answer = await ask(running.port, '/health');
    expect([answer.status, json(answer)]).toEqual([200, expect.objectContaining({ status: 'ready', model: 'tiny', sequences: 0, running: 0, waiting: 0 })]);
  });

  // The body of upstream's README, but for its prompt.
  const instance = { prompt: 'GCCGCTAAAAAGCGACC', num: 5, length: 150, temperature: 1, top_k: 50, top_p: 0.9, min_new_tokens: 20, max_new_tokens: 50, do_sample: true, early_stopping: false, repetition_penalty: 1 };

  test('generate gives the sequences that the library gives for the seed, which is told', async () => {
    const answer = await post('/generate', { instances: [instance, { prompt: 'ACGT', num: 2, seed: 9, max_new_tokens: 12, do_sample: false }] });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    const [first, second] = json(answer)['predictions'] as unknown as { sequences: string[]; finish_reasons: string[]; seed: number }[];
    expect(first.sequences).toEqual(await sampled(instance.prompt, { num: 5, topK: 50, topP: 0.9, minNewTokens: 20, maxNewTokens: 50, seed: first.seed }));
    expect(first.finish_reasons.every((reason) => ['stop', 'length'].includes(reason))).toBe(true);
    expect(second).toMatchObject({ seed: 9, sequences: await sampled('ACGT', { num: 2, temperature: 0, minNewTokens: 10, maxNewTokens: 12 }) });
  });

  test('ten sequences of ten tokens where nothing is said, others each time', async () => {
    const answers = await Promise.all([0, 1].map(() => post('/generate', { instances: [{ prompt: 'ACGT' }] })));
    const [a, b] = answers.map((answer) => (json(answer)['predictions'] as unknown as { sequences: string[] }[])[0].sequences);
    expect(a.map(({ length }) => length)).toEqual(new Array(10).fill(10));
    expect(a).not.toEqual(b);
  });

  test('embed gives the means over all tokens', async () => {
    const seqs = ['ACGTAC', 'GG', 'ACGTTGCATT'];
    const expected = (await embed(running.model, tokenizer, seqs)).map((vector) => [...vector]);
    expect(json(await post('/embed', { instances: [{ seqs: seqs.slice(0, 2) }, { seqs: seqs.slice(2) }] }))).toEqual({ predictions: [{ embeddings: expected.slice(0, 2) }, { embeddings: expected.slice(2) }] });
  });

  test('a stream has a line for each token, and with the last of them the sequence', async () => {
    const body = { instances: [{ ...instance, num: 3, seed: 4 }] };
    const answer = await post('/generate', { ...body, stream: true });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    const lines = answer.text.trim().split('\n').map((line) => JSON.parse(line) as { sample: number; bases: string; log_prob: number; sequence?: string; seed?: number });
    const [{ sequences }] = json(await post('/generate', body))['predictions'] as unknown as { sequences: string[] }[];
    for (const [sample, sequence] of sequences.entries()) {
      const own = lines.filter((line) => line.sample === sample);
      expect(own.map(({ bases }) => bases).join('')).toBe(sequence);
      expect(own.at(-1)).toMatchObject({ sequence, seed: 4, finish_reason: expect.stringMatching(/stop|length/) as unknown });
      expect(own.every(({ log_prob: logProb }) => logProb < 0)).toBe(true);
    }
  });
});

describe('what cannot be', () => {
  const reason = (answer: Answer) => [answer.status, json(answer)['detail'] as string];
  const valid = { prompt: 'ACGT', num: 1, max_new_tokens: 10 };

  test.each([
    [/expected JSON in UTF-8, got nothing/, '/generate', ''],
    [/expected JSON/, '/generate', '{"instances":'],
    [/expected JSON in UTF-8/, '/generate', Uint8Array.of(0x22, 0xff, 0x22)],
    [/the body: expected an object, got \[1\]/, '/generate', [1]],
    [/instances: expected a list of at least one object, got nothing/, '/generate', {}],
    [/at least one object, got \[\]/, '/generate', { instances: [] }],
    [/instances\[0\]: expected an object, got 7/, '/generate', { instances: [7] }],
    [/instances\[0\].prompt: expected a sequence/, '/generate', { instances: [{}] }],
    [/expected the fields instances, stream, got "tream"/, '/generate', { instances: [valid], tream: true }],
    [/stream: expected true or false/, '/generate', { instances: [valid], stream: 1 }],
    [/unknown token after 2 bases of instances\[1\].prompt/, '/generate', { instances: [valid, { ...valid, prompt: 'ACxT' }] }],
    [/got "temprature"/, '/generate', { instances: [{ ...valid, temprature: 2 }] }],
    [/top_p: expected a number, got "0.9"/, '/generate', { instances: [{ ...valid, top_p: '0.9' }] }],
    [/expected top_p above 0 and at most 1, got 2/, '/generate', { instances: [{ ...valid, top_p: 2 }] }],
    [/num: expected a whole number/, '/generate', { instances: [{ ...valid, num: 0.5 }] }],
    [/expected max_new_tokens as a whole number of at least 20, got 10/, '/generate', { instances: [{ ...valid, min_new_tokens: 20 }] }],
    [/at most 40 sequences/, '/generate', { instances: [{ ...valid, num: 41 }] }],
    [/at most 20000 tokens/, '/generate', { instances: [{ ...valid, max_new_tokens: 30_000 }] }],
    [/fewer than contextTokens 256/, '/generate', { instances: [{ ...valid, prompt: 'A'.repeat(300) }] }],
    [/seqs: expected a list of at least one sequence/, '/embed', { instances: [{ seqs: [] }] }],
    [/seqs\[1\]: expected a sequence/, '/embed', { instances: [{ seqs: ['ACG', 3] }] }],
    [/at most 40 sequences/, '/embed', { instances: [{ seqs: new Array(41).fill('A') }] }],
  ] as const)('400: %p', async (message, path, body) => {
    expect(reason(await post(path, Array.isArray(body) ? JSON.stringify(body) : body))).toEqual([400, expect.stringMatching(message)]);
  });

  test('other paths, methods and sizes', async () => {
    expect((await ask(running.port, '/')).status).toBe(404);
    expect((await ask(running.port, '/constructor')).status).toBe(404);
    const wrong = await ask(running.port, '/generate');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST']);
    expect((await post('/health', {})).status).toBe(405);
    expect((await post('/embed', 'x'.repeat(limits.maxBodyBytes + 1))).status).toBe(413);
    expect((await post('/embed', new Array(30).fill('x'.repeat(1000)))).status).toBe(413); // in chunks, of no length told
    expect((await ask(running.port, '/health')).status).toBe(200);
  });

  test('whatever the bytes, and whatever stands in a field: 200 or 400 with a reason', async () => {
    const field = fc.constantFrom('prompt', 'num', 'length', 'temperature', 'top_k', 'top_p', 'min_new_tokens', 'max_new_tokens', 'do_sample', 'repetition_penalty', 'seed', 'other', '__proto__');
    const changed = fc.tuple(field, fc.oneof(fc.jsonValue(), fc.double(), fc.integer())).map(([name, value]) => JSON.stringify({ instances: [{ ...valid, [name]: value }] }));
    await fc.assert(fc.asyncProperty(fc.constantFrom('/generate', '/embed'), fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.json(), changed), async (path, body) => {
      const answer = await post(path, body);
      if (answer.status === 200) expect(json(answer)).toHaveProperty('predictions');
      else expect(reason(answer)).toEqual([400, expect.stringContaining('expected')]);
    }), { numRuns: 150 });
    expect(running.events.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(running.service.statistics).toMatchObject({ running: 0, waiting: 0 });
  });
});

test.each([true, false])('a client that leaves is done with within one step, and its room is free (stream: %s)', async (stream) => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const { newTokens } = running.service.statistics!;
  const seen = running.events.length;
  const sent = request({ port: running.port, path: '/generate', method: 'POST', agent: false }).on('error', () => undefined);
  sent.end(JSON.stringify({ instances: [{ prompt: 'ACGT', num: 2, min_new_tokens: 5000, max_new_tokens: 5000 }], stream }));
  while (running.service.statistics!.newTokens < newTokens + 20) await turn();
  sent.destroy();
  const left = running.service.statistics!.steps;
  while (running.events.length === seen) await turn();
  expect(running.events.at(-1)).toMatchObject({ status: 499, sequences: 2 });
  const known = running.service.statistics!.steps;
  expect(known - left).toBeLessThan(20); // on its way through the sockets
  while (running.service.statistics!.running) await turn();
  expect(running.service.statistics!.steps - known).toBeLessThanOrEqual(1);
  expect(json(await ask(running.port, '/health'))).toMatchObject({ sequences: 0, running: 0, waiting: 0 });
});

test('a failed engine is told, and nothing is taken any more', async () => {
  const broken = await startServer();
  await broken.service.close();
  expect(await ask(broken.port, '/health')).toMatchObject({ status: 503, text: expect.stringContaining('"status":"failed"') as unknown });
  expect(await ask(broken.port, '/generate', { instances: [{ prompt: 'ACGT' }] })).toMatchObject({ status: 503, text: expect.stringContaining('got one that is failed') as unknown });
  await broken.stop();
});

test('beyond the queue: 503, and when to come again; what is broken off at the end is told so', async () => {
  const busy = await startServer({ maxWaiting: 3 });
  const long = (max: number, num = 1) => ask(busy.port, '/generate', { instances: [{ prompt: 'ACGT', num, min_new_tokens: max, max_new_tokens: max }] });
  const endless = long(9000, 2);
  while (busy.service.statistics!.running < 2) await new Promise((turn) => setImmediate(turn));
  const refused = await long(10, 2);
  expect([refused.status, refused.headers['retry-after'], json(refused)['detail']]).toEqual([503, '1', expect.stringContaining('expected room for 2 more sequences, got 2 of 3 taken')]);
  expect((await long(10, 1)).status).toBe(200);
  await busy.stop(0);
  expect(await endless).toMatchObject({ status: 503, text: expect.stringContaining('closing') as unknown });
  await expect(ask(busy.port, '/health')).rejects.toThrow();
});

test('the command says where it listens; an interrupt lets it end what runs', async () => {
  const folder = join(freshFolder('serve'), 'model');
  await savePretrained(running.model, folder);
  const interrupt = new AbortController();
  const values = { port: '0', tokenizer: 'character', threads: '1', seed: '5' };
  const progress = { update: () => undefined, finish: () => undefined };
  let ended: Promise<number | void> | undefined;
  const printed = await new Promise<string>((resolve, reject) => {
    ended = serve.run({ values, positionals: [folder], json: false, progress, signal: interrupt.signal, print: resolve });
    ended.catch(reject);
  });
  const [, port] = /^genomelm: .* on wasm at http:\/\/127\.0\.0\.1:(\d+)\n$/.exec(printed)!;
  const body = { instances: [{ prompt: 'ACGT', num: 2 }] };
  const [a, b] = await Promise.all([0, 1].map(() => ask(Number(port), '/generate', body)));
  expect(json(a)).toEqual(json(b)); // the seed of the command
  const last = ask(Number(port), '/generate', { instances: [{ prompt: 'ACGT', num: 1, min_new_tokens: 300, max_new_tokens: 300 }] });
  while (!json(await ask(Number(port), '/health'))['running']) await new Promise((turn) => setImmediate(turn));
  interrupt.abort();
  expect((await last).status).toBe(200);
  expect(await ended).toBeUndefined();
});
