// The WebAssembly plan of products with b stored in 8 or 16 bits.
import { float32 } from '../../tensor';
import { one, input, output, partsFor, scratch } from '../../devices/wasm/plan';
import { activationCode, type Activation } from '../activation/functions';
import { storageCode } from '../../devices/wasm/storage';
import type { Plan, WasmCall } from '../../op';

export interface StoredProduct {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposed: boolean;
  readonly type: 'float16' | 'bfloat16' | 'int8';
  /** Position of the inputs that may be missing. */
  readonly scales?: number | undefined;
  readonly bias?: number | undefined;
  readonly residual?: number | undefined;
  readonly activation?: Activation | undefined;
}

/** The last arguments of every product's kernel: the activation, and whether there is a residual. */
export const epilogueArguments = (activation: Activation | undefined, residual: number | undefined): number[] => [activation ? activationCode[activation] : -1, residual === undefined ? 0 : 1];

/** Rows of a part: b is turned into f32 once for each 64 of them, which costs 5 % of the product. */
const blockRows = 64;

/** Shares of the columns: each has 16 KiB of scratch. */
const maxShares = 256;

export function storedCalls({ m, n, k, transposed, type, scales, bias, residual, activation }: StoredProduct): Plan<WasmCall> {
  const panels = Math.ceil(n / 8), blocks = Math.ceil(m / blockRows);
  const across = Math.max(1, Math.min(panels, maxShares, Math.ceil(partsFor(n * k * Math.max(1, Math.min(m, blockRows) / 4)) / Math.max(1, blocks / 8))));
  const parts = blocks * across;
  const perPart = 16640 / 4;
  return {
    ...one('matmulStored', [input(0), input(1), input(scales ?? 1), input(bias ?? 1), output(0), scratch(0), input(residual ?? 0)], [m, n, k, transposed ? 1 : 0, storageCode[type], bias ? 1 : 0, blockRows, across, ...epilogueArguments(activation, residual)], parts),
    scratch: [float32(parts, perPart)],
  };
}
