// Tensors that are larger than a GPU shows to one dispatch (128 MiB to 2 GiB): ops that say so (`rowwise`) run on some rows at a time. Plans whose rows need others show parts themselves: windows.ts.
import { bytesOf, sizeOf, type Tensor } from '../../tensor';
import type { Limits } from '../../device';
import type { Rowwise } from '../../op';

export interface Piece<A> {
  readonly inputs: readonly Tensor[];
  /** Views of the rows of the outputs; where the op adds over its rows, the whole outputs of this piece alone. */
  readonly outputs: readonly Tensor[];
  readonly attributes: A;
}

export const isTooLarge = (tensors: readonly Tensor[], { maxBindingBytes }: Limits): boolean => tensors.some((tensor) => bytesOf(tensor) > maxBindingBytes);

/** As few pieces as there can be: each begins where WebGPU binds, and no part of it is too large. Nothing where even so few rows are too many. */
export function piecesOf<A>(inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A, rowwise: Rowwise<A>, { maxBindingBytes }: Limits): Piece<A>[] {
  const { rows, inputs: cut, adds = false } = rowwise;
  const divided = [...cut.map((i) => inputs[i]), ...(adds ? [] : outputs)];
  const rowBytes = divided.map((tensor) => bytesOf(tensor) / rows);
  const aligned = Math.max(...rowBytes.map((bytes) => alignedRows(bytes)));
  const most = Math.floor(maxBindingBytes / Math.max(...rowBytes) / aligned) * aligned;
  if (!(most >= 1)) return [];
  const pieces: Piece<A>[] = [];
  for (let first = 0; first < rows; first += most) {
    const end = Math.min(rows, first + most);
    const view = (tensor: Tensor): Tensor => rowsOf(tensor, rows, first, end - first);
    pieces.push({ inputs: inputs.map((tensor, i) => (cut.includes(i) ? view(tensor) : tensor)), outputs: adds ? outputs : outputs.map(view), attributes: rowwise.part?.(first, end) ?? attributes });
  }
  return pieces;
}

/** The least number of rows of so many bytes that ends at a multiple of 256 bytes. */
function alignedRows(bytes: number): number {
  let rows = 1;
  while (rows < 256 && (rows * bytes) % 256) rows *= 2;
  return rows;
}

function rowsOf(tensor: Tensor, rows: number, first: number, count: number): Tensor {
  const width = sizeOf(tensor) / rows;
  const [leading, ...rest] = tensor.shape;
  return { ...tensor, shape: leading === rows ? [count, ...rest] : [count, width], offset: tensor.offset + first * width };
}
