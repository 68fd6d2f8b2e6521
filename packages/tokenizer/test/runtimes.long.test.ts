/**
 * Outside Node: a web worker in Chromium, Deno and Bun give what Node gives. Deno and Bun are not installed with the workspace:
 * npm install --prefix tools/bench/peers --ignore-scripts deno@2.5.6 bun@1.3.3
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { createEncoderPool } from '../src/parallel/index';
import { serializeTokenizerJson, trainBpe, parseTokenizerJson } from '../src/index';
import { dnabert2Subset } from './dnabert2Subset';

const root = resolve(__dirname, '../../..'), folder = mkdtempSync(join(tmpdir(), 'genomelm-runtimes-'));
const bundle = (source: string) => buildSync({ stdin: { contents: source, resolveDir: resolve(__dirname, '..'), loader: 'ts' }, bundle: true, minify: true, format: 'esm', platform: 'neutral', external: ['node:*'], write: false, logLevel: 'error' }).outputFiles[0].contents;

let state = 1;
const dna = Array.from({ length: 60_000 }, () => 'ACGT'[(state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 30]).join('');
const texts = [dna, 'ACGTNNNNacgt-ac [MASK] GATTACA', ''];

/** What every runtime is asked, from the library and the same data; `threads` and `disk` where it has them. */
async function ask({ parse, serialize, train, pool }: { parse: typeof parseTokenizerJson; serialize: typeof serializeTokenizerJson; train: typeof trainBpe; pool?: typeof createEncoderPool }, json: string, inputs: readonly string[], maxMemory?: number) {
  const tokenizer = parse(json), encodings = inputs.map((text) => [...tokenizer.encodeWithOffsets(text).ids, ...tokenizer.encodeWithOffsets(text).offsets]);
  const trained = serialize(await train([inputs[0]], { vocabSize: 300, maxMemory }));
  if (!pool) return JSON.stringify([encodings, trained, null]);
  const threads = pool(tokenizer, { threads: 2, blockLength: 7000 }), parallel = [...(await threads.encodeWithOffsets(inputs[0])).ids];
  await threads.close();
  return JSON.stringify([encodings, trained, parallel]);
}
const library = { parse: parseTokenizerJson, serialize: serializeTokenizerJson, train: trainBpe }, json = JSON.stringify(dnabert2Subset());
const program = (use: string, options: string, report: string) => `
  import { parseTokenizerJson as parse, serializeTokenizerJson as serialize, trainBpe as train } from './src/index';
  import { createEncoderPool as pool } from './src/parallel/index';
  const ask = ${ask.toString()};
  ask({ parse, serialize, train, ${use} }, ${JSON.stringify(json)}, ${JSON.stringify(texts)}, ${options}).then((answer) => ${report});`;

const modules = join(root, 'tools/bench/peers/node_modules');
const runtimes: [name: string, binary: string, args: string[]][] = [
  ['Deno', join(modules, '@deno/linux-x64-glibc/deno'), ['run', '--allow-all', '--no-lock', '--no-config']],
  ['Bun', [join(modules, '@oven/bun-linux-x64/bin/bun'), join(modules, '@oven/bun-linux-x64-baseline/bin/bun')].find((path) => existsSync(path)) ?? 'bun', ['run']],
];
describe.each(runtimes)('%s', (name, binary, args) => {
  (existsSync(binary) ? it : it.skip)(`encodes, trains out of core and encodes over threads as Node does [skipped without ${name} in tools/bench/peers]`, async () => {
    writeFileSync(join(folder, 'program.mjs'), bundle(program('pool', '3e7', 'console.log(answer)')));
    const { stdout, stderr } = spawnSync(binary, [...args, join(folder, 'program.mjs')], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    expect(stderr).toBe('');
    expect(stdout.trim() === await ask({ ...library, pool: createEncoderPool }, json, texts, 3e7)).toBe(true);
  });
});

it('a web worker in Chromium: encodes, trains and encodes over threads as Node does', async () => {
  const expected = await ask({ ...library, pool: createEncoderPool }, json, texts);
  writeFileSync(join(folder, 'worker.js'), bundle(program('pool', 'undefined', 'postMessage(answer)')));
  writeFileSync(join(folder, 'expected.json'), expected);
  writeFileSync(join(folder, 'index.html'), `<script type="module">
    const expected = await (await fetch('expected.json')).text(), worker = new Worker('worker.js', { type: 'module' });
    const answer = await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); worker.onerror = ({ message }) => resolve(message); });
    globalThis.results = { crossOriginIsolated, worker: { ok: answer === expected, got: answer.slice(0, 200) } };
  </script>`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'tools/browserTest.mjs'), folder], { encoding: 'utf8', env: { ...process.env, NX_TASK_TARGET_PROJECT: '' } });
  if (stdout.startsWith('skipped: ')) return console.warn(stdout.trim());
  expect({ status, ok: /"ok": true/.test(stdout), stderr }).toEqual({ status: 0, ok: true, stderr: '' });
});

it('reading a tokenizer.json and encoding takes at most 30 kB, compressed, of a page', () => {
  const bytes = gzipSync(bundle("export { parseTokenizerJson } from './src/index';")).length;
  expect(bytes).toBeLessThan(30_000);
});
