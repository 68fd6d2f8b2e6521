import { allocatingFor } from '../../errors';
import { bytesOf, type Tensor } from '../../tensor';
import type { Plan, WasmCall } from '../../op';
import type { Buffers, WasmBuffer } from './buffers';
import type { Pool } from './pool';
import type { PreparedCache } from './preparedCache';

/** Allocates scratch and host arrays, runs the steps one after another, and frees both; but for what the cache keeps. */
export function runPlan(name: string, plan: Plan<WasmCall>, inputs: readonly Tensor[], outputs: readonly Tensor[], buffers: Buffers, pool: Pool, cache: PreparedCache): void {
  const temporary: WasmBuffer[] = [];
  const keep = (make: () => WasmBuffer): number => {
    const buffer = allocatingFor(name, make);
    temporary.push(buffer);
    return buffer.address;
  };
  const { prepared, unprepared } = plan;
  const kept = prepared && cache.claim(name, prepared, inputs, plan.scratch ?? []);
  const { steps, scratch = [] } = unprepared && !kept ? unprepared : plan;
  try {
    const scratchAt = scratch.map((spec, i) => kept?.addresses[i] ?? keep(() => buffers.allocate(bytesOf(spec))));
    for (const { kernel, args, bind, parts } of kept?.filled ? steps.slice(prepared!.steps) : steps) {
      const arrays = bind.flatMap((place) => ('array' in place ? [place.array] : []));
      let next = temporary.length;
      if (arrays.length) allocatingFor(name, () => buffers.copies(arrays, temporary));
      const addresses = bind.map((place) => {
        if ('scratch' in place) return scratchAt[place.scratch];
        if ('array' in place) return temporary[next++].address;
        return buffers.address('input' in place ? inputs[place.input] : outputs[place.output]);
      });
      pool.run(kernel, [...addresses, ...args], parts);
    }
    if (kept) kept.filled = true;
  } finally {
    temporary.forEach(buffers.free);
    cache.release();
  }
}
