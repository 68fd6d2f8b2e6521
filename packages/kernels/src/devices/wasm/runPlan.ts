import { allocatingFor } from '../../errors';
import { bytesOf, type Tensor } from '../../tensor';
import type { Plan, WasmCall } from '../../op';
import type { Buffers, WasmBuffer } from './buffers';
import type { Pool } from './pool';
import type { Kept, PreparedCache } from './preparedCache';

/** Calls of kernels with addresses in them: the same again as long as nobody else gets that memory. */
export interface Resolved {
  readonly jobs: readonly Parameters<Pool['run']>[];
  /** What they read of the cache; no longer filled once that makes way. */
  readonly kept?: Kept | undefined;
}

/**
 * Allocates scratch and host arrays, runs the steps one after another, and frees both; but for what the cache keeps.
 * @returns what ran, where it would be the same another time: there are no host arrays, and nothing is prepared for one use alone
 */
export function runPlan(name: string, plan: Plan<WasmCall>, inputs: readonly Tensor[], outputs: readonly Tensor[], buffers: Buffers, pool: Pool, cache: PreparedCache): Resolved | undefined {
  const temporary: WasmBuffer[] = [];
  const keep = (make: () => WasmBuffer): number => {
    const buffer = allocatingFor(name, make);
    temporary.push(buffer);
    return buffer.address;
  };
  const { prepared, unprepared } = plan;
  const kept = prepared && cache.claim(name, prepared, inputs, plan.scratch ?? []);
  const { steps, scratch = [] } = unprepared && !kept ? unprepared : plan;
  const jobs: Parameters<Pool['run']>[] = [];
  let same = !prepared || kept?.filled === true;
  try {
    const scratchAt = scratch.map((spec, i) => kept?.addresses[i] ?? keep(() => buffers.allocate(bytesOf(spec))));
    for (const { kernel, args, bind, parts } of kept?.filled ? steps.slice(prepared!.steps) : steps) {
      const arrays = bind.flatMap((place) => ('array' in place ? [place.array] : []));
      let next = temporary.length;
      if (arrays.length) {
        same = false;
        allocatingFor(name, () => buffers.copies(arrays, temporary));
      }
      const addresses = bind.map((place) => {
        if ('scratch' in place) return scratchAt[place.scratch];
        if ('array' in place) return temporary[next++].address;
        return buffers.address('input' in place ? inputs[place.input] : outputs[place.output]);
      });
      const job: Parameters<Pool['run']> = [kernel, [...addresses, ...args], parts];
      pool.run(...job);
      jobs.push(job);
    }
    if (kept) kept.filled = true;
    return same ? { jobs, kept } : undefined;
  } finally {
    temporary.forEach(buffers.free);
    cache.release();
  }
}
