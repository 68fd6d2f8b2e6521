// tools/bench/gpu.mjs as it would run on another machine, with only what it carries: here at toy sizes on the software GPU, whose figures say nothing about a GPU.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithGpu } from './devices';

interface Result {
  readonly toy: boolean;
  readonly description: string;
  readonly ceilings: { readonly teraflops: number; readonly gigabytesPerSecond: number };
  readonly rows: readonly { readonly name: string; readonly error?: string; readonly seconds: number; readonly peakBytes: number }[];
  readonly profile: readonly { readonly op: string; readonly seconds: number }[];
}

describeWithGpu('the bench for real GPUs', () => {
  test('packs itself, runs from that folder alone, and writes its measurements', () => {
    const folder = mkdtempSync(join(tmpdir(), 'genomelm-gpu-'));
    try {
      execFileSync(process.execPath, [join(__dirname, '../../../tools/bench/gpu.mjs'), '--pack', folder], { stdio: 'pipe' });
      expect(readFileSync(join(folder, 'README.txt'), 'utf8')).toContain('FOLDER/run --json gpu.json');
      const table = execFileSync(join(folder, 'run'), ['--toy', '--json', join(folder, 'gpu.json')], { cwd: tmpdir(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      const result = JSON.parse(readFileSync(join(folder, 'gpu.json'), 'utf8')) as Result;
      expect(table).toMatch(/^webgpu: .*; maxBufferSize \d+, maxStorageBufferBindingSize \d+, .*timestamp-query/);
      expect(result).toMatchObject({ toy: true, ceilings: { teraflops: expect.any(Number), gigabytesPerSecond: expect.any(Number) } });
      for (const kind of ['linear', 'attention', 'training step', 'decoding']) {
        const rows = result.rows.filter(({ name }) => name.startsWith(kind));
        expect(rows.length).toBeGreaterThan(0);
        for (const { name, error, seconds, peakBytes } of rows) {
          expect(error).toBeUndefined();
          expect(seconds * peakBytes).toBeGreaterThan(0);
          expect(table).toContain(name);
        }
      }
      if (/swiftshader/.test(result.description)) expect(result.description).toContain('a CPU in place of a GPU');
      expect(result.profile.map(({ op }) => op)).toEqual(expect.arrayContaining(['matmul', 'attention', 'attentionBackward', 'adamW']));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
