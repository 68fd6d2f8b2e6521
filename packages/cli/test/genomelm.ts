import { buildSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const home = resolve(__dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'genomelm-cli-'));

/** The bundle, for tests that run it by themselves. */
export const program = (): string => join(folder, 'dist/main.js');

/** Bundles the sources as they are (no build needed) and returns a function that runs them as a program. */
export function bundleGenomelm(): (...args: string[]) => { status: number | null; stdout: string; stderr: string } {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  copyFileSync(join(home, 'package.json'), join(folder, 'package.json'));
  buildSync({ entryPoints: [join(home, 'src/main.ts')], bundle: true, platform: 'node', format: 'esm', conditions: ['@genomelm/source'], loader: { '.wgsl': 'text' }, external: ['webgpu'], outfile: program(), logLevel: 'error' });
  return (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program(), ...args], { encoding: 'utf8', env: { ...process.env, GENOMELM_GUE: '', GENOMELM_TOKENIZER: '' } });
    return { status, stdout, stderr };
  };
}

/** The bundle, for tests that must not wait for it to end. */
export const programOf = (): string => join(folder, 'dist/main.js');

/** A folder of its own below the temporary one. */
export const freshFolder = (name: string): string => mkdtempSync(join(folder, `${name}-`));
