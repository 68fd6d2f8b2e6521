// Small words for writing plans of WebAssembly calls.
import type { Bind, HostArray, Plan, WasmCall } from '../../op';

type Place = WasmCall['bind'][number];

export const input = (index: number): Bind => ({ input: index });
export const output = (index: number): Bind => ({ output: index });
export const scratch = (index: number): Bind => ({ scratch: index });
export const array = (values: HostArray): Place => ({ array: values });

/** A part takes about 20 µs, a thousand times what handing it to a thread costs. `work` counts elements that are read or written once; arithmetic beyond that counts as more elements. */
export const partsFor = (work: number): number => Math.max(1, Math.min(4096, Math.ceil(work / 2 ** 15)));

export const call = (kernel: string, bind: readonly Place[], args: readonly number[], parts: number): WasmCall => ({ kernel, bind, args, parts });

/** A plan of one call. */
export const one = (kernel: string, bind: readonly Place[], args: readonly number[], parts: number): Plan<WasmCall> => ({ steps: [call(kernel, bind, args, parts)] });
