import { availableParallelism, cpus, totalmem } from 'node:os';
import { createDevice, read, scale, tensor, type Device } from '@genomelm/kernels';
import { loadGpu } from '../devices';
import type { Command } from '../command';

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'Which devices work here, their limits, versions, and how to get what is missing.',
  usage: '[--json]',
  options: {},
  async run({ json, print }) {
    const findings: Finding[] = [
      { name: 'node', ok: atLeast(process.versions.node, [20, 19]), detail: `${process.version} on ${process.platform} ${process.arch}; 20.19 or newer is needed` },
      { name: 'machine', ok: true, detail: `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB` },
      await probe('reference', () => createDevice('reference')),
      await probe('wasm', () => createDevice('wasm', { threads: Math.min(8, availableParallelism()) })),
      await probeWebGpu(),
    ];
    if (json) print(`${JSON.stringify({ findings }, null, 2)}\n`);
    else for (const { name, ok, detail } of findings) print(`${ok ? 'ok  ' : 'no  '}${name.padEnd(10)} ${detail}\n`);
  },
};

function atLeast(version: string, wanted: readonly [number, number]): boolean {
  const [major, minor] = version.split('.').map(Number);
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}

/** A device counts as working when it computes. */
async function probe(name: string, create: () => Promise<Device>): Promise<Finding> {
  try {
    const device = await create();
    const [value] = await read(scale(tensor(device, [21]), 2));
    const { maxBufferBytes, threads } = device.limits;
    await device.destroy();
    if (value !== 42) return { name, ok: false, detail: `computed 2 · 21 = ${value}` };
    return { name, ok: true, detail: `${threads} thread${threads === 1 ? '' : 's'}, buffers up to ${(maxBufferBytes / 2 ** 30).toFixed(1)} GiB` };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message };
  }
}

async function probeWebGpu(): Promise<Finding> {
  try {
    const gpu = await loadGpu();
    const adapter = await gpu.requestAdapter();
    const found = await probe('webgpu', () => createDevice('webgpu', { gpu }));
    const { vendor, architecture, description } = adapter?.info ?? { vendor: '', architecture: '', description: '' };
    return adapter ? { ...found, detail: `${[vendor, architecture, description].filter(Boolean).join(' ')}: ${found.detail}` } : found;
  } catch (error) {
    return { name: 'webgpu', ok: false, detail: (error as Error).message };
  }
}
