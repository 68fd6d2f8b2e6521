// How long the GPU spends on each op, by timestamps around every dispatch: each then gets a compute pass of its own, which costs some microseconds.
import { bufferUsage, mapRead } from './usage';

/** Time that the GPU spent on one op. */
export interface OpTime {
  readonly op: string;
  readonly dispatches: number;
  /** On the GPU. Browsers round single timestamps, to 0.1 ms by default. */
  readonly seconds: number;
}

export interface Profiler {
  /** Marks the pass of one dispatch of the op. */
  mark(op: string): GPUComputePassTimestampWrites;
  /** To be called after all that was marked is submitted: the times by op, the longest first. */
  finish(): Promise<readonly OpTime[]>;
}

/** WebGPU's limit for one set of queries: two for each dispatch. */
const queriesPerSet = 4096;

export function createProfiler(device: GPUDevice): Profiler {
  const sets: GPUQuerySet[] = [];
  const ops: string[] = [];

  const readSet = async (set: GPUQuerySet, count: number): Promise<BigUint64Array> => {
    const size = 8 * count;
    const resolved = device.createBuffer({ label: 'profile', size, usage: bufferUsage.queryResolve | bufferUsage.copySource });
    const staging = device.createBuffer({ label: 'profile', size, usage: bufferUsage.mapRead | bufferUsage.copyTarget });
    const encoder = device.createCommandEncoder({ label: 'profile' });
    encoder.resolveQuerySet(set, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(mapRead);
    const times = new BigUint64Array(staging.getMappedRange().slice(0));
    for (const used of [resolved, staging, set]) used.destroy();
    return times;
  };

  return {
    mark(op) {
      const at = (2 * ops.length) % queriesPerSet;
      if (at === 0) sets.push(device.createQuerySet({ label: 'profile', type: 'timestamp', count: queriesPerSet }));
      ops.push(op);
      return { querySet: sets.at(-1)!, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
    },
    async finish() {
      const times = await Promise.all(sets.map((set, i) => readSet(set, Math.min(queriesPerSet, 2 * ops.length - i * queriesPerSet))));
      const totals = new Map<string, { dispatches: number; seconds: number }>();
      ops.forEach((op, i) => {
        const [set, at] = [times[Math.floor((2 * i) / queriesPerSet)], (2 * i) % queriesPerSet];
        const total = totals.get(op) ?? { dispatches: 0, seconds: 0 };
        totals.set(op, { dispatches: total.dispatches + 1, seconds: total.seconds + Math.max(0, Number(set[at + 1] - set[at]) / 1e9) });
      });
      return [...totals].map(([op, total]) => ({ op, ...total })).sort((a, b) => b.seconds - a.seconds);
    },
  };
}
