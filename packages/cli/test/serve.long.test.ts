// genomelm serve as a program: many clients at once, and its end.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createWasmDevice } from '@genomelm/kernels';
import { createModel, generate, savePretrained } from '@genomelm/model';
import { bundleGenomelm, freshFolder, program } from './genomelm';
import { ask, config, json, startServer, tokenizer } from './tinyServer';

bundleGenomelm();
const folder = join(freshFolder('serve'), 'model');
const children: ChildProcess[] = [];
afterAll(() => children.forEach((child) => child.kill('SIGKILL')));

async function start(...args: string[]): Promise<{ child: ChildProcess; port: number; ended: Promise<[number | null, string]> }> {
  const child = spawn(process.execPath, [program(), 'serve', folder, '-t', 'character', '--threads', '1', '--port', '0', '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { log += text; });
  const ended = new Promise<[number | null, string]>((resolve) => child.once('close', (code) => resolve([code, log])));
  const ready = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    child.once('exit', () => reject(new Error(log)));
  });
  const { event, url, device } = JSON.parse(ready) as { event: string; url: string; device: string };
  expect([event, device]).toEqual(['ready', 'wasm']);
  return { child, port: Number(new URL(url).port), ended };
}

const memoryOf = ({ pid }: ChildProcess): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
const requests = 1000;
const promptOf = (i: number) => Array.from({ length: 4 + (i % 40) }, (_, k) => 'ACGT'[(i * 7 + k * k + (i >> 3)) % 4]).join('');
const bodyOf = (i: number) => ({ instances: [{ prompt: promptOf(i), num: 1, seed: i, min_new_tokens: 4, max_new_tokens: 8 + (i % 25), top_p: 0.95 }], stream: i % 3 === 0 });

beforeAll(async () => {
  const device = await createWasmDevice({ threads: 1 });
  await savePretrained(createModel(config, { device, seed: 3 }), folder);
  await device.destroy();
});

test(`${requests} short requests at once all end, each with its own sequence, in bounded memory`, async () => {
  const { child, port, ended } = await start();
  const round = async () => {
    const answers = await Promise.all(Array.from({ length: requests }, async (_, i) => {
      const answer = await ask(port, '/generate', bodyOf(i));
      expect(answer.status).toBe(200);
      if (i % 3) return (json(answer)['predictions'] as unknown as { sequences: string[] }[])[0].sequences[0];
      return (JSON.parse(answer.text.trim().split('\n').at(-1)!) as { sequence: string }).sequence;
    }));
    return answers;
  };
  const memory: number[] = [];
  const watch = setInterval(() => memory.push(memoryOf(child)), 50);
  const first = await round();
  const peak = Math.max(...memory);
  for (let again = 0; again < 3; again++) expect(await round()).toEqual(first);
  clearInterval(watch);
  console.log(`memory: ${(peak / 2 ** 20).toFixed(0)} MiB at most in the first round, ${(Math.max(...memory) / 2 ** 20).toFixed(0)} in all ${4 * requests} requests`);
  expect(Math.max(...memory)).toBeLessThan(peak + 100 * 2 ** 20);
  const device = await createWasmDevice({ threads: 1 });
  const model = createModel(config, { device, seed: 3 });
  for (let i = 0; i < requests; i++) {
    const { seed, min_new_tokens: minNewTokens, max_new_tokens: maxNewTokens, top_p: topP } = bodyOf(i).instances[0];
    for await (const { sequence } of generate(model, tokenizer, [promptOf(i)], { seed, minNewTokens, maxNewTokens, topK: 50, topP, cacheTokens: 1024 })) expect([i, first[i]]).toEqual([i, sequence]);
  }
  await device.destroy();
  child.kill('SIGTERM');
  const [code, log] = await ended;
  expect(code).toBe(0);
  expect(log.trim().split('\n').filter((line) => line.includes('"request"')).map((line) => (JSON.parse(line) as { status: number }).status)).toEqual(new Array(4 * requests).fill(200));
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s: what runs ends within the grace or is told, and the exit code is 0', async (signal) => {
  for (const [grace, tokens, status] of [['20', 400, 200], ['0', 100_000, 503]] as const) {
    const { child, port, ended } = await start('--grace', grace);
    const answer = ask(port, '/generate', { instances: [{ prompt: 'ACGT', num: 1, min_new_tokens: tokens, max_new_tokens: tokens }] });
    while (!json(await ask(port, '/health'))['running']) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill(signal);
    expect((await answer).status).toBe(status);
    expect((await ended)[0]).toBe(0);
  }
});

test('a client that leaves /embed: the pass under way is the last', async () => {
  const running = await startServer({ limits: { maxBodyBytes: 2 ** 21, maxSequences: 4000, maxTokens: 2 ** 20 }, maxWaiting: 4000 });
  const { device } = running.model.params.model.norm.weight;
  const { run } = device, { embed } = running.service;
  let passes = 0, left = NaN;
  device.run = ((...call: Parameters<typeof run>) => {
    if (call[0].name === 'embedding') passes++;
    run.apply(device, call);
  }) as typeof run;
  running.service.embed = (sequences, signal) => {
    signal.addEventListener('abort', () => { left = passes; });
    return embed(sequences, signal);
  };
  const body = (count: number) => JSON.stringify({ instances: [{ seqs: Array.from({ length: count }, () => 'ACGT'.repeat(100)) }] }); // cut to 256 tokens, eight of them a pass
  expect((await ask(running.port, '/embed', body(16))).status).toBe(200);
  expect(passes).toBe(2);
  passes = 0;
  const sent = request({ port: running.port, path: '/embed', method: 'POST', agent: false }).on('error', () => undefined);
  sent.end(body(3200));
  while (!passes) await new Promise((resolve) => setTimeout(resolve, 1));
  sent.destroy();
  while (!running.events.some(({ status }) => status === 499)) await new Promise((resolve) => setTimeout(resolve, 5));
  await running.stop();
  expect(left).toBeLessThan(200); // of 400
  expect(passes).toBeLessThanOrEqual(left + 1);
});

test('a port that is taken is one line and exit code 2', async () => {
  const { child, port, ended } = await start();
  const second = spawn(process.execPath, [program(), 'serve', folder, '-t', 'character', '--threads', '1', '--port', `${port}`]);
  let text = '';
  second.stderr.setEncoding('utf8').on('data', (more: string) => { text += more; });
  expect(await new Promise((resolve) => second.once('close', resolve))).toBe(2);
  expect(text.trim().split('\n').at(-1)).toMatch(/^genomelm: serve: expected a free port .* got 127\.0\.0\.1:\d+ \(EADDRINUSE\)/);
  child.kill('SIGTERM');
  await ended;
});
