import { apply, type Op, type Plan, type WasmCall } from '../../op';
import { checkFloats, checkShape } from '../check';
import { numbersOf } from '../cast/cast';
import { epilogueArguments, storedCalls } from './stored';
import type { Activation } from '../activation/functions';
import { describeSpec, float32, type Tensor, type TensorSpec } from '../../tensor';
import { call, input, one, output, partsFor, scratch } from '../../devices/wasm/plan';
import { matmulPlan } from './webgpu';

interface Transposes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Sizes of `[m, k] · [k, n]`, and how far apart neighbours in a row and in a column lie. */
export function matmulSizes(a: TensorSpec, b: TensorSpec, { transposeA, transposeB }: Transposes) {
  const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const n = b.shape[transposeB ? 0 : 1];
  return { m, n, k, aRow: transposeA ? 1 : k, aColumn: transposeA ? m : 1, bRow: transposeB ? 1 : n, bColumn: transposeB ? k : 1 };
}

/** Depth of a block of rows of a that is turned into scratch: TURNED_K of matmul.wasm.ts. */
const turnedDepth = 384;

/**
 * What one part of the WebAssembly kernel owns. A small product is one part. Where b fits into a second cache of 1 MiB: at most 64 rows, fewer when there are few, so that several threads find work.
 * Beyond that, 128 rows make more of reading b (1.05 times 64). Where 16 parts of 256 rows are there, they are 1.05 times as fast again; not where a is turned into scratch.
 * Columns are split as well, into some 32 parts: a thread that is done waits for at most one part of another. On one thread parts of 64 columns are as fast as those of 256 (0.99 to 1.01); on two, 16 parts in place of 4 for [512, 2048] times [2048, 256] and its like made a training step 1.1 times as fast.
 */
function wasmBlocks(m: number, n: number, k: number, transposeA: boolean): { blockRows: number; blockColumns: number } {
  if (m * n * k < 2 ** 18 && m <= 256) return { blockRows: Math.max(m, 1), blockColumns: Math.max(n, 1) };
  if (n * k <= 2 ** 18) return { blockRows: Math.min(64, Math.max(16, Math.ceil(m / 64) * 4)), blockColumns: m < 64 ? 256 : Math.max(n, 1) };
  const blockRows = !transposeA && Math.ceil(m / 256) * Math.floor(n / 256) >= 16 ? 256 : 128, across = Math.ceil(32 / Math.ceil(m / blockRows));
  return { blockRows, blockColumns: Math.max(64, Math.ceil(n / across / 8) * 8) };
}

/** Up to here b is not packed for one product alone, and rows of a stay where they are. */
const fewRows = 4;

/** Up to here a packed b is read once, as one stream. */
const streamedRows = 64;

/** Parts become smaller towards the end (stream.wasm.ts): the largest is an eighth of 16. Eight equal ones left two threads without work for 0.3 of their time with one row, where neighbours slow the cores unequally. */
const streamParts = (m: number, n: number, k: number): number => Math.min(Math.ceil(n / 8), 64, m * n * k < 2 ** 18 ? 1 : 16 * Math.ceil(partsFor(n * k) / 128));

interface Epilogue {
  /** Positions of the inputs that may be missing. */
  readonly bias?: number | undefined;
  readonly residual?: number | undefined;
  readonly activation?: Activation | undefined;
}

/** The WebAssembly plan of a product and of what follows it while its block is in the cache: an activation, then a sum with a residual. */
export function matmulCalls(a: TensorSpec, b: TensorSpec, { bias, residual, activation, ...transposes }: Transposes & Epilogue): Plan<WasmCall> {
  const { m, n, k } = matmulSizes(a, b, transposes);
  const { transposeA, transposeB } = transposes;
  if (b.dtype !== 'float32') return storedCalls({ m, n, k, transposed: transposeB, type: b.dtype as 'float16', bias, residual, activation });
  const [hasBias, rest, added] = [bias === undefined ? 0 : 1, epilogueArguments(activation, residual), input(residual ?? 0)];
  const padded = Math.ceil(n / 8) * 8;
  const { blockRows, blockColumns } = wasmBlocks(m, n, k, transposeA);
  const pack = call('matmulPack', [input(1), input(bias ?? 1), scratch(0), scratch(1)], [n, k, transposeB ? 1 : 0, hasBias], partsFor(2 * n * k));
  const streams = m <= streamedRows && !transposeA, turns = streams && m > fewRows;
  const parts = streams ? streamParts(m, n, k) : Math.ceil(m / blockRows) * Math.ceil(n / blockColumns);
  const perPart = streams ? 80 : 64 + (transposeA ? blockRows * Math.min(k, turnedDepth) : 0);
  const product = streams
    ? call('matmulStream', [turns ? scratch(3) : input(0), scratch(0), scratch(1), output(0), scratch(2), added], [m, n, k, ...rest], parts)
    : call('matmul', [input(0), scratch(0), scratch(1), output(0), scratch(2), added], [m, n, k, transposeA ? 1 : 0, blockRows, blockColumns, 4 * perPart, ...rest], parts);
  return {
    scratch: [float32(padded, k), float32(padded), float32(parts, perPart), ...(turns ? [float32(4 * Math.ceil(m / 4), k)] : [])],
    prepared: { inputs: bias === undefined ? [1] : [1, bias], scratch: 2, steps: 1, layout: `${n} ${k} ${transposeB}` },
    steps: [pack, ...(turns ? [call('matmulTurn', [input(0), scratch(3)], [m, k], partsFor(4 * m * k))] : []), product],
    ...(m <= fewRows && !transposeA && { unprepared: one('matmulFew', [input(0), input(1), input(bias ?? 1), output(0), added], [m, n, k, transposeB ? 1 : 0, hasBias, ...rest], partsFor(n * k)) }),
  };
}

export const matmulOp: Op<Transposes> = {
  name: 'matmul',
  saves: ([needsA, needsB]) => ({ inputs: [...(needsB ? [0] : []), ...(needsA ? [1] : [])] }),
  infer([a, b], attributes) {
    checkFloats('matmul', { a });
    if (b.dtype !== 'float16' && b.dtype !== 'bfloat16') checkFloats('matmul', { b });
    else if (attributes.transposeA) throw new TypeError(`matmul: expected b as float32 where a is transposed, got ${describeSpec(b)}; cast b first`);
    const sizes = checkShape('matmul', attributes.transposeA ? 'a (transposed)' : 'a', a, attributes.transposeA ? ['k', 'm'] : ['m', 'k']);
    checkShape('matmul', attributes.transposeB ? 'b (transposed)' : 'b', b, attributes.transposeB ? ['n', 'k'] : ['k', 'n'], sizes);
    return [float32(sizes.m, sizes.n)];
  },
  reference([a, stored], [y], attributes, specs) {
    const { m, n, k, aRow, aColumn, bRow, bColumn } = matmulSizes(specs[0], specs[1], attributes);
    const b = numbersOf(stored, specs[1].dtype);
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let total = 0;
        for (let i = 0; i < k; i++) total += a[row * aRow + i * aColumn] * b[i * bRow + column * bColumn];
        y[row * n + column] = total;
      }
    }
  },
  wasm: ([a, b], _outputs, attributes) => matmulCalls(a, b, attributes),
  webgpu: (inputs, _outputs, attributes, limits) => matmulPlan(inputs, { ...attributes, ...matmulSizes(inputs[0], inputs[1], attributes) }, limits),
  backward(d, { inputs: [a, b] }, { transposeA, transposeB }, [needsA, needsB]) {
    const dA = () => (transposeA ? matmul(b, d, { transposeA: transposeB, transposeB: true }) : matmul(d, b, { transposeB: !transposeB }));
    const dB = () => (transposeB ? matmul(d, a, { transposeA: true, transposeB: transposeA }) : matmul(a, d, { transposeA: !transposeA }));
    return [needsA ? dA() : null, needsB ? dB() : null];
  },
};

/** `a [m, k] · b [k, n]` → `[m, n]`; with `transposeA` or `transposeB` that operand is stored as its transpose. `b` may be float16 or bfloat16: the sums are in float32. */
export const matmul = (a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: Partial<Transposes> = {}): Tensor => apply(matmulOp, [a, b], { transposeA, transposeB })[0];
