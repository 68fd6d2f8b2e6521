// Bind groups by what they bind. Equal training steps bind equal buffers, so that a few hundred groups serve every step.
import type { Failures } from './failures';
import type { Layout } from './pipelineCache';

/** A part of a buffer, in bytes. */
export interface Range {
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

export interface BindGroups {
  get(op: string, layout: Layout, ranges: readonly Range[]): GPUBindGroup;
  /** Forgets all: some of their buffers are gone. */
  clear(): void;
}

/** Enough for a model of 60 layers; beyond, everything is made anew. */
const capacity = 16384;

export function createBindGroups(device: GPUDevice, failures: Failures): BindGroups {
  const groups = new Map<string, GPUBindGroup>();
  return {
    get(op, layout, ranges) {
      let key = layout.key;
      for (const { id, offset, size } of ranges) key += `,${id}+${offset}+${size}`;
      let group = groups.get(key);
      if (!group) {
        if (groups.size >= capacity) groups.clear();
        const entries = ranges.map(({ gpu, offset, size }, binding) => ({ binding, resource: { buffer: gpu, offset, size } }));
        group = failures.check('validation', (message) => `${op}: expected buffers that the GPU binds, got "${message}"`, () => device.createBindGroup({ label: op, layout: layout.gpu, entries }));
        groups.set(key, group);
      }
      return group;
    },
    clear: () => groups.clear(),
  };
}
