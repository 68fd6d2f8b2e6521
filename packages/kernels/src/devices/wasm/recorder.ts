// Steps that are run again without what comes before their kernels: shape rules, plans, allocation. As CUDA graphs do, but calls with host arrays are planned anew each time, so that the arrays may change.
import { createReserve, type Buffers, type Reserve, type WasmBuffer } from './buffers';
import type { Data, Tensor, TensorSpec } from '../../tensor';
import type { Attributes, Op, Plan, WasmCall } from '../../op';
import type { DeviceBuffer, DeviceRecording } from '../../device';
import type { Heap } from './memory';
import type { Pool } from './pool';
import type { Resolved } from './runPlan';

/** Runs an op by its plan, or its definition where there is none. @returns what can be run again as it is */
export type RunOp = <A extends Attributes<A>>(op: Op<A>, plan: Plan<WasmCall> | undefined, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A) => Resolved | undefined;

export interface Recorder {
  readonly recording: boolean;
  /** Runs an op, and takes it down while something is recorded. */
  run<A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A): void;
  /** Takes down what was written. */
  wrote(tensor: Tensor, data: Data): void;
  record(f: () => void): DeviceRecording;
}

/** What is taken down. */
interface Taken {
  /** Of tensors. */
  readonly reserve: Reserve;
  /** Of scratch, apart: a call that is planned later must not take what a tensor holds at its turn. */
  readonly scratch: Reserve;
  readonly steps: (() => void)[];
  /** Buffers from outside, and whether the steps themselves change them. */
  readonly outside: Map<DeviceBuffer, boolean>;
  readonly planned: Planned[];
  /** How often it was done again. */
  round: number;
}

/** The plan of a call with host arrays, as of a round: all layers of a model ask for the same one, with the same arrays. */
interface Planned {
  readonly op: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly TensorSpec[];
  round: number;
  plan: Plan<WasmCall> | undefined;
}

const sameSpec = (a: TensorSpec, b: TensorSpec): boolean => a.dtype === b.dtype && a.shape.join() === b.shape.join();
/** Ops make an empty array of their own for one that they were not given. */
const sameValue = (a: unknown, b: unknown): boolean => a === b || (ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && a.byteLength + b.byteLength === 0);
const samePlan = (a: Omit<Planned, 'round' | 'plan'>, b: Omit<Planned, 'round' | 'plan'>): boolean =>
  a.op === b.op && Object.entries(a.attributes).every(([name, value]) => sameValue(value, b.attributes[name])) && a.inputs.length === b.inputs.length && a.inputs.every((spec, i) => sameSpec(spec, b.inputs[i]));

/** But for what its scope has freed since. */
const touch = ({ buffer }: Tensor): void => { if (buffer.version >= 0) buffer.version++; };

function noteOutside({ reserve, outside }: Taken, { buffer }: Tensor, changes: boolean): void {
  if ((buffer as WasmBuffer).reserve !== reserve) outside.set(buffer, outside.get(buffer) || changes);
}

export function createRecorder(heap: Pick<Heap, 'allocate' | 'free'>, buffers: Buffers, pool: Pool, runOp: RunOp): Recorder {
  let taken: Taken | undefined;

  /** A call whose kernels are the same each time, from when its weights are packed. */
  const fixed = ({ scratch }: Taken, compute: () => Resolved | undefined): (() => void) => {
    let resolved: Resolved | undefined;
    return () => {
      if (resolved && resolved.kept?.filled !== false) for (const job of resolved.jobs) pool.run(...job);
      else resolved = buffers.within(scratch, compute);
    };
  };

  /** A call whose arrays may hold other numbers: checked and planned once a round. Its scratch may be of another size, and is not kept. */
  const changing = (own: Taken, call: Omit<Planned, 'round' | 'plan'>, plan: () => Planned['plan'], check: () => void, compute: (plan: Planned['plan']) => void): (() => void) => {
    const known = own.planned.find((other) => samePlan(other, call)), shared = known ?? { ...call, round: own.round, plan: plan() };
    if (!known) own.planned.push(shared);
    return () => {
      if (shared.round !== own.round) {
        check();
        [shared.round, shared.plan] = [own.round, plan()];
      }
      buffers.within(undefined, () => compute(shared.plan));
    };
  };

  return {
    get recording() {
      return taken !== undefined;
    },
    run(op, inputs, outputs, attributes) {
      const plan = () => op.wasm?.(inputs, outputs, attributes), compute = (own: Planned['plan']) => runOp(op, own, inputs, outputs, attributes);
      if (!taken) return void compute(plan());
      const { mutates = [] } = op, hasArrays = Object.values(attributes).some((value) => ArrayBuffer.isView(value));
      for (const [i, input] of inputs.entries()) noteOutside(taken, input, mutates.includes(i));
      const step = hasArrays ? changing(taken, { op, attributes: { ...attributes }, inputs }, plan, () => op.infer(inputs, attributes), compute) : fixed(taken, () => compute(plan()));
      step();
      taken.steps.push(() => {
        step();
        for (const i of mutates) touch(inputs[i]);
      });
    },
    wrote(tensor, data) {
      if (!taken) return;
      noteOutside(taken, tensor, true);
      taken.steps.push(() => {
        buffers.view(tensor).set(data as Float32Array);
        touch(tensor);
      });
    },
    record(f) {
      if (taken) throw new TypeError('record: expected no other recording to be under way, got one within another');
      const own: Taken = { reserve: createReserve(heap), scratch: createReserve(heap), steps: [], outside: new Map(), planned: [], round: 0 };
      const end = (): void => [own.reserve, own.scratch].forEach((reserve) => reserve.end());
      taken = own;
      try {
        buffers.within(own.reserve, f);
      } catch (error) {
        end();
        throw error;
      } finally {
        taken = undefined;
      }
      const sources = [...own.outside].map(([buffer, changes]) => ({ buffer, changes, version: buffer.version }));
      return {
        replay() {
          if (sources.some(({ buffer, changes, version }) => (changes ? buffer.version < 0 : buffer.version !== version))) return false;
          own.round++;
          for (const step of own.steps) step();
          return true;
        },
        free: end,
      };
    },
  };
}
