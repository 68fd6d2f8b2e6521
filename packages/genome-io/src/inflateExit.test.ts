// What no test inside jest can see: a program that only waits for a text ends with it, though its threads began too late to help; and one that stops reading ends too.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';

// 90 MB keep this thread busy for longer than the others take to begin: what they then say comes while they are ended.
const program = `
const file = await bgzfCompress(new Uint8Array(90_000_000), { level: 1 });
const text = await bgzfDecompress(file, { threads: 3 });
const reader = inflateBlocks((async function* () { yield file; })(), 3);
let read = 0;
while (read < 5_000_000) read += (await reader.next()).value.length;
console.log(text.length);
`;

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'genome-io-exit-')); });
afterAll(() => rmSync(folder, { recursive: true }));

test('threads neither end a program before its text is there nor keep it alive', async () => {
  const contents = `import { bgzfCompress, bgzfDecompress } from ${JSON.stringify(join(__dirname, 'bgzf.ts'))};\nimport { inflateBlocks } from ${JSON.stringify(join(__dirname, 'bgzfBlocks.ts'))};\n${program}`;
  const { outputFiles } = buildSync({ stdin: { contents, resolveDir: __dirname, loader: 'ts' }, bundle: true, format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], external: ['node:*'], write: false });
  const file = join(folder, 'program.mjs');
  writeFileSync(file, outputFiles[0].text);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 100_000 });
  expect(stdout).toBe('90000000\n');
});
