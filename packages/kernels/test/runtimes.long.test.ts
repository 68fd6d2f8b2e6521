/**
 * Outside Node: every op of the browser page, on the wasm device in Deno and in Bun (JavaScriptCore, the engine of Safari). They are not installed with the workspace:
 * npm install --prefix tools/bench/peers --ignore-scripts deno@2.5.6 bun@1.3.3
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const root = resolve(__dirname, '../../..'), modules = join(root, 'tools/bench/peers/node_modules');
const program = `
import { createWasmDevice, gelu, read, tensor } from '@genomelm/kernels';
import { checkDevice } from './src/check';
const makers = {
  'wasm, 2 threads': () => createWasmDevice({ threads: 2 }),
  'wasm, relaxed SIMD': () => createWasmDevice({ threads: 2, relaxedSimd: true }),
};
const report = await checkDevice(makers[process.argv[2]]);
console.log(JSON.stringify({ passed: Object.values(report.outcomes).filter(({ ok }) => ok).length, failures: Object.entries(report.outcomes).filter(([, { ok }]) => !ok) }));
await read(gelu(tensor(await makers[process.argv[2]](), [1]))); // never destroyed: the program must end all the same
`;
const folder = mkdtempSync(join(tmpdir(), 'genomelm-runtimes-')), outfile = join(folder, 'program.mjs');
beforeAll(() => void buildSync({ stdin: { contents: program, resolveDir: join(root, 'docs/playground'), loader: 'ts' }, outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', conditions: ['@genomelm/source'], loader: { '.wgsl': 'text' }, tsconfigRaw: '{}', logLevel: 'error' }));
afterAll(() => rmSync(folder, { recursive: true }));

const deno = join(modules, '@deno/linux-x64-glibc/deno');
const bun = ['bun-linux-x64', 'bun-linux-x64-baseline'].map((name) => join(modules, '@oven', name, 'bin/bun')).find((path) => existsSync(path)) ?? 'bun';
const runs: [device: string, runtime: string, binary: string, args: string[]][] = [
  ['wasm, 2 threads', 'Deno', deno, ['run', '--allow-all', '--no-lock', '--no-config']],
  ['wasm, relaxed SIMD', 'Deno', deno, ['run', '--allow-all', '--no-lock', '--no-config']],
  ['wasm, 2 threads', 'Bun', bun, ['run']],
];
describe.each(runs)('%s', (device, runtime, binary, args) => {
  (existsSync(binary) ? it : it.skip)(`every op agrees with the definition in ${runtime} [skipped without ${runtime} in tools/bench/peers]`, () => {
    const { stdout, status } = spawnSync(binary, [...args, outfile, device], { encoding: 'utf8', timeout: 120_000 });
    expect(JSON.parse(stdout)).toEqual({ passed: expect.any(Number), failures: [] });
    expect(status).toBe(0);
  });
});
