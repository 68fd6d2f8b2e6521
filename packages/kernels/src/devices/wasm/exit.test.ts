// What no test inside jest can see: a program with idle threads ends by itself, in both module formats.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';

const program = `
const device = await createWasmDevice({ threads: 3 });
const [total] = await read(sum(ones(device, [300_000])));
if (process.argv[2] === 'destroy') await device.destroy();
console.log(total);
`;

const source = join(__dirname, '../../index.ts');
let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'kernels-exit-')); });
afterAll(() => rmSync(folder, { recursive: true }));

test.each(['mjs', 'cjs'])('a program (.%s) ends by itself with the device idle, and after destroy', async (extension) => {
  const body = extension === 'mjs' ? program : `(async () => {${program}})();`;
  const names = '{ createWasmDevice, ones, read, sum }';
  const format = extension === 'mjs' ? 'esm' : 'cjs';
  const contents = `import ${names} from ${JSON.stringify(source)};\n${body}`;
  const { outputFiles } = buildSync({ stdin: { contents, resolveDir: __dirname, loader: 'ts' }, bundle: true, format, platform: 'neutral', external: ['node:*'], loader: { '.wgsl': 'text' }, write: false });
  const file = join(folder, `program.${extension}`);
  writeFileSync(file, outputFiles[0].text);
  for (const mode of ['idle', 'destroy']) {
    const { stdout } = await promisify(execFile)(process.execPath, [file, mode], { timeout: 100_000 });
    expect(stdout).toBe('300000\n');
  }
});
