import type { DType } from '../../tensor';

/** How kernels know the type of stored elements: as in storage.wasm.ts. */
export const storageCode: Readonly<Record<Exclude<DType, 'int32' | 'uint32'>, number>> = { float32: 0, float16: 1, bfloat16: 2, int8: 3 };
