// The package in a browser's bundle: with and without the optional package @huggingface/hub.
import { build, type BuildOptions } from 'esbuild';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';

const folder = mkdtempSync(path.join(tmpdir(), 'genomelm-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Everything of the package in one file that still imports the optional package, as the published one does; and what a user bundles from it. */
beforeAll(async () => {
  await build({ entryPoints: [path.join(__dirname, '../src/index.ts')], bundle: true, platform: 'browser', format: 'esm', conditions: ['@genomelm/source'], loader: { '.wgsl': 'text' }, external: ['@huggingface/hub'], outfile: path.join(folder, 'package.mjs'), logLevel: 'error' });
  writeFileSync(path.join(folder, 'user.mjs'), `import { loadPretrained } from './package.mjs';
loadPretrained('us/encoder', { device: {}, hubUrl: 'https://hub.test', fetch: async (url) => { throw new Error('asked ' + url); } }).catch(({ message }) => console.log(message));\n`);
});

const bundleForBrowser = async (options: BuildOptions = {}) => {
  const { errors, outputFiles: [{ text }] } = await build({ entryPoints: [path.join(folder, 'user.mjs')], bundle: true, platform: 'browser', format: 'esm', logLevel: 'silent', ...options, write: false });
  expect(errors).toEqual([]);
  writeFileSync(path.join(folder, 'bundle.mjs'), text);
  return { text, said: spawnSync(process.execPath, [path.join(folder, 'bundle.mjs')], { encoding: 'utf8', cwd: folder }).stdout.trim() };
};

test('without it nothing fails until an id is asked for', async () => {
  const { text, said } = await bundleForBrowser();
  expect(text).not.toMatch(/from ["']node:|require\(["']/);
  expect(said).toMatch(/expected the package @huggingface\/hub for the id us\/encoder, got none; npm install @huggingface\/hub/);
});

// The package names its build for browsers in `browser`, which esbuild (alone of the bundlers tried) does not apply to what `exports` resolved.
test('with it the bundle asks the hub', async () => {
  const own = /^.*node_modules[\\/]@huggingface[\\/]hub/.exec(require.resolve('@huggingface/hub'))![0];
  mkdirSync(path.join(folder, 'node_modules/@huggingface'), { recursive: true });
  symlinkSync(own, path.join(folder, 'node_modules/@huggingface/hub'), 'junction');
  const { said } = await bundleForBrowser({ alias: { '@huggingface/hub': './node_modules/@huggingface/hub/dist/browser/index.mjs' } });
  expect(said).toMatch(/^loadPretrained: expected a directory us\/encoder or a model of this id at https:\/\/hub\.test, got no directory and asked https:\/\/hub\.test\/api\/models\/us\/encoder\/revision\/main/);
});
