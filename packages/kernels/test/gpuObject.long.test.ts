// Who makes a device of `create([])` need not keep that object: Dawn aborts the process if it is collected while the GPU works.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describeWithGpu } from './devices';

const repository = join(__dirname, '../../..');
const program = `
import { createWebGpuDevice, gelu, read, tensor } from './src/index';
const from = (path) => import(path); // not bundled
const { softwareGpuFolder } = await from('${repository}/tools/softwareGpu.mjs');
const folder = process.env.GENOMELM_GPU === 'system' ? undefined : softwareGpuFolder();
if (folder) process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = folder + '/vk_swiftshader_icd.json';
const { create, globals } = await from(folder ? folder + '/webgpu/index.js' : '${repository}/node_modules/webgpu/index.js');
Object.assign(globalThis, globals);
const collect = async () => { for (let i = 0; i < 3; i++) { globalThis.gc(); await new Promise((done) => setTimeout(done, 10)); } };
let device = await createWebGpuDevice(create(['enable-dawn-features=disable_workgroup_init']));
let x = tensor(device, [1, 2, 3]);
await collect();
console.log((await read(gelu(x))).length);
const pending = read(gelu(x));
device = x = undefined;
await collect();
console.log((await pending).length);
`;

describeWithGpu('the GPU object', () => {
  test('lives as long as its device, and as a read that waits', () => {
    const folder = mkdtempSync(join(tmpdir(), 'genomelm-gpu-object-'));
    try {
      const outfile = join(folder, 'program.mjs');
      buildSync({ stdin: { contents: program, resolveDir: join(__dirname, '..'), loader: 'ts' }, outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', conditions: ['@genomelm/source'], loader: { '.wgsl': 'text' } });
      expect(execFileSync(process.execPath, ['--expose-gc', outfile], { encoding: 'utf8', timeout: 60_000 })).toBe('3\n3\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
