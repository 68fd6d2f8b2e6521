import { allocatingFor } from './errors';
import { recorder } from './state';
import { free, track } from './scope';
import { bytesOf, bytesPerElement, describeSpec, isTensor, type Data, type Tensor, type TensorSpec } from './tensor';
import type { Device, Limits } from './device';

/** Attributes are host values. Arrays are copied when an op is applied. */
export type Attributes<A> = { readonly [K in keyof A]: number | boolean | string | Int32Array | Float32Array | undefined };

export type HostArray = Int32Array | Float32Array;

/** A tensor in a plan: an input or output by position, or one of the plan's scratch tensors. */
export type Bind = { readonly input: number } | { readonly output: number } | { readonly scratch: number };

/** A tensor of a dispatch; where that is more than the device binds at once, `count` of its elements from `first` on, see devices/webgpu/windows.ts. */
export type View = Bind & { readonly window?: { readonly first: number; readonly count: number } };

/** One compute dispatch. `params` and `arrays` go by name into the shader's `struct Params`; `bind` follows its bindings 1, 2, …. */
export interface Dispatch {
  readonly shader: string;
  /** Become `const NAME = value;` before the shader's text. */
  readonly constants?: Readonly<Record<string, number>>;
  readonly params?: Readonly<Record<string, number>>;
  readonly arrays?: Readonly<Record<string, HostArray>>;
  readonly bind: readonly View[];
  readonly workgroups: readonly [number, number, number];
  /** Estimated multiply-adds, by which the device submits in time; by default as many as there are elements bound. */
  readonly work?: number;
}

/** One WebAssembly call, `kernel(...addresses in the order of bind, ...args, part, parts)`, for each part. `parts` never depends on the number of threads. */
export interface WasmCall {
  readonly kernel: string;
  readonly args: readonly number[];
  readonly bind: readonly (Bind | { readonly array: HostArray })[];
  readonly parts: number;
}

/** What a device runs for an op: its steps in order, and memory that only they see. */
export interface Plan<S> {
  readonly steps: readonly S[];
  readonly scratch?: readonly TensorSpec[];
  /** Scratch that the first steps fill from some inputs alone: a device may keep it, and skip those steps, while the inputs stay as they are. */
  readonly prepared?: Prepared;
  /** What to run in its place where nothing is kept, if preparing for one use alone would cost more than it brings. */
  readonly unprepared?: Plan<S>;
}

/** Scratch `0` to `scratch - 1` is filled by steps `0` to `steps - 1` from `inputs` alone. `layout` tells apart how one op prepares the same inputs. */
export interface Prepared {
  readonly inputs: readonly number[];
  readonly scratch: number;
  readonly steps: number;
  readonly layout: string;
}

/** An op whose rows do not know of each other: some rows of these inputs give those rows of the outputs, or, if it `adds`, summands of the outputs. */
export interface Rowwise<A = never> {
  readonly rows: number;
  /** Inputs of that many rows; the others are always seen whole. */
  readonly inputs: readonly number[];
  readonly adds?: boolean;
  /** The attributes for rows `first` to `end` (exclusive), where they are not the same for all. */
  part?(first: number, end: number): A;
}

/** What a backward gets: tensors by position (holes where not saved) and the specs of all inputs. */
export interface Saved {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly specs: readonly TensorSpec[];
}

/**
 * An operation: its shape rule, its definition, its plans for the fast devices, and its gradient, in one record.
 * Output 0 is the value; further outputs are statistics that carry no gradient.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an op without attributes
export interface Op<A extends Attributes<A> = {}> {
  readonly name: string;
  /** Inputs written in place. A mutating op has no backward. */
  readonly mutates?: readonly number[];
  /** What the backward will read, given which inputs need a gradient. Nothing else is kept alive. */
  saves?(needs: readonly boolean[], attributes: A): { readonly inputs?: readonly number[]; readonly outputs?: readonly number[] };
  /** Checks the inputs and says what comes out. Throws before anything is allocated or run. */
  infer(inputs: readonly TensorSpec[], attributes: A): readonly TensorSpec[];
  /** The definition: the shortest correct program on typed arrays. `specs` are those of the inputs, then of the outputs. */
  reference(inputs: readonly Data[], outputs: readonly Data[], attributes: A, specs: readonly TensorSpec[]): void;
  wasm?(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: A): Plan<WasmCall>;
  webgpu?(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: A, limits: Limits): Plan<Dispatch>;
  /** For tensors larger than a device can show one kernel: how the op may run on some rows at a time. */
  rowwise?(inputs: readonly TensorSpec[], attributes: A): Rowwise<A> | undefined;
  /** The gradient of each input, written with other ops; null where none is needed or defined. */
  backward?(dOutput: Tensor, saved: Saved, attributes: A, needs: readonly boolean[]): readonly (Tensor | null)[];
}

/** A new tensor with undefined contents, owned by the open scope. Whoever asks must write every element. */
export function allocate(device: Device, { dtype, shape }: TensorSpec): Tensor {
  if (!shape.every((length) => Number.isInteger(length) && length >= 0)) throw new RangeError(`allocate: expected a shape of whole numbers from 0 on, got [${shape.join(', ')}]; lengths of axes count elements`);
  const buffer = device.allocate(bytesOf({ dtype, shape }));
  track(device, buffer);
  return { dtype, shape, device, buffer, offset: 0 };
}

/** What `apply` asks of the inputs of every op: tensors, all of one device, none freed, each within its buffer. For ops that look at shapes first, or are made of others. */
export function checkTensors(op: string, inputs: readonly Tensor[]): void {
  const stranger = inputs.findIndex((input) => !isTensor(input));
  if (stranger >= 0) throw new TypeError(`${op}: expected a tensor as input ${stranger}, got ${inputs[stranger] === undefined ? 'nothing' : typeof inputs[stranger]}; make one with tensor(device, [...])`);
  const { device } = inputs[0];
  inputs.forEach((input, i) => {
    if (input.device !== device) throw new TypeError(`${op}: expected all inputs on one device, got ${device.kind} and, as input ${i}, another ${input.device.kind}; copy it with tensor(device, await read(t), t.shape)`);
    if (input.buffer.version < 0) throw new ReferenceError(`${op}: expected a live tensor as input ${i}, got one that was freed (${describeSpec(input)}); return it from its scope to keep it`);
    if (!(input.offset >= 0 && input.offset * bytesPerElement(input.dtype) + bytesOf(input) <= input.buffer.byteLength)) throw new RangeError(`${op}: expected a view within its buffer of ${input.buffer.byteLength} bytes as input ${i}, got ${describeSpec(input)} from element ${input.offset} on; keep the shape within what was allocated`);
    checkAligned(op, input, i);
  });
}

/** WebGPU binds a buffer only at multiples of so many bytes. */
function checkAligned(op: string, input: Tensor, i: number): void {
  const elements = (input.device.limits.viewAlignment ?? 1) / bytesPerElement(input.dtype);
  if (elements > 1 && input.offset % elements && bytesOf(input)) throw new RangeError(`${op}: expected input ${i} to begin at a multiple of ${elements} elements, as WebGPU binds no other, got a view at element ${input.offset} (${describeSpec(input)}); copy it with tensor(device, await read(t), t.shape)`);
}

/** Checks, allocates the outputs, runs the op on the inputs' device, and tells the open tape. */
export function apply<A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], attributes: A): Tensor[] {
  checkTensors(op.name, inputs);
  const { device } = inputs[0];
  const copied = device.recording ? attributes : copyAttributes(attributes);
  const specs = op.infer(inputs, copied), outputs: Tensor[] = [];
  try {
    for (const spec of specs) outputs.push(allocatingFor(op.name, () => allocate(device, spec)));
    device.run(op, inputs, outputs, copied);
  } catch (error) {
    free(outputs); // a device may refuse what the shape rule lets pass: no room, no kernel, a view that it cannot bind
    throw error;
  }
  const { backward } = op;
  recorder()?.record(op.name, inputs, outputs, backward && ((needs) => {
    const keep = op.saves?.(needs, copied) ?? {};
    const saved: Saved = { inputs: pick(inputs, keep.inputs), outputs: pick(outputs, keep.outputs), specs: inputs.map(({ dtype, shape }) => ({ dtype, shape })) };
    return {
      saved: [...saved.inputs, ...saved.outputs].filter(Boolean),
      differentiable: outputs.slice(0, 1),
      backward: ([dOutput], stillNeeds) => backward.call(op, dOutput!, saved, copied, stillNeeds),
    };
  }));
  return outputs;
}

const pick = (tensors: readonly Tensor[], wanted: readonly number[] = []): Tensor[] => tensors.map((tensor, i) => (wanted.includes(i) ? tensor : undefined!));

function copyAttributes<A extends Attributes<A>>(attributes: A): A {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) copy[name] = ArrayBuffer.isView(value) ? (value as Int32Array).slice() : value;
  return copy as A;
}
