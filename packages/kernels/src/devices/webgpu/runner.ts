// Runs ops by their plans: whole, or some rows at a time. A plan's bindings are all checked before its first dispatch is recorded.
import { UnsupportedOpError } from '../../errors';
import { accumulateOp } from '../../ops/elementwise/elementwise';
import { bytesOf, sizeOf, type Tensor } from '../../tensor';
import { rangesOf, type Bound, type GpuBuffer } from './bindings';
import { isTooLarge, piecesOf } from './pieces';
import type { Attributes, Dispatch, Op, View } from '../../op';
import type { DeviceBuffer, Limits } from '../../device';
import type { Range } from './bindGroups';
import type { Commands } from './commands';
import type { PipelineCache } from './pipelineCache';
import type { ShaderFacts } from './shader';

/** What a runner needs of the device. */
interface Machine {
  readonly commands: Commands;
  readonly pipelines: PipelineCache;
  readonly params: (op: string, facts: ShaderFacts, dispatch: Dispatch) => Range;
  allocate(label: string, bytes: number): GpuBuffer;
  free(buffer: DeviceBuffer): void;
}

export interface Runner {
  run<A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A): void;
  /** Compiles what `f` would run; nothing is recorded meanwhile. */
  warmup(f: () => void): Promise<void>;
  /** Whether `run` only compiles. */
  readonly compiling: () => boolean;
  /** Recorded so far. */
  readonly dispatches: () => number;
}

/** Steps of a plan become commands; while warming up, pipelines. */
function createRecorder({ commands, pipelines, params }: Machine, limits: Limits) {
  let dispatches = 0;
  let jobs: Promise<void>[] | undefined; // while warming up
  return {
    record(op: string, steps: readonly Dispatch[], bound: (view: View) => Bound): void {
      const running = steps.filter(({ workgroups }) => !workgroups.includes(0));
      if (jobs) {
        jobs.push(...running.map((step) => pipelines.prepare(op, step)));
        return;
      }
      const checked = running.map((step) => {
        const pipeline = pipelines.get(op, step), tensors = step.bind.map(bound);
        return { step, pipeline, ranges: rangesOf(op, pipeline.facts, tensors, limits), work: step.work ?? tensors.reduce((sum, spec) => sum + sizeOf(spec), 0) };
      });
      for (const { step, pipeline, ranges, work } of checked) commands.dispatch(op, pipeline, [params(op, pipeline.facts, step), ...ranges], step.workgroups, work);
      dispatches += checked.length;
    },
    async warmup(f: () => void): Promise<void> {
      const mine: Promise<void>[] = (jobs = []);
      try {
        f();
      } finally {
        jobs = undefined;
      }
      await Promise.all(mine);
    },
    compiling: () => jobs !== undefined,
    dispatches: () => dispatches,
  };
}

export function createRunner(machine: Machine, limits: Limits): Runner {
  const { record, ...recorder } = createRecorder(machine, limits);

  const runWhole = <A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A) => {
    const plan = op.webgpu?.(inputs, outputs, attributes, limits);
    if (!plan) throw new UnsupportedOpError(op.name, 'webgpu');
    const scratch: Bound[] = [];
    const bound = (view: View): Bound => {
      const whole = 'input' in view ? inputs[view.input] : 'output' in view ? outputs[view.output] : scratch[view.scratch];
      return view.window ? { ...whole, shape: [view.window.count], offset: whole.offset + view.window.first } : whole;
    };
    try {
      for (const spec of plan.scratch ?? []) scratch.push({ ...spec, offset: 0, buffer: machine.allocate(op.name, bytesOf(spec)) });
      record(op.name, plan.steps, bound);
    } finally {
      for (const { buffer } of scratch) machine.free(buffer);
    }
  };

  /** The op's outputs for some rows are added to what the rows before gave. */
  const addPiece = <A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A) => {
    const summands = outputs.map((output): Tensor => ({ ...output, offset: 0, buffer: machine.allocate(op.name, bytesOf(output)) }));
    runWhole(op, inputs, summands, attributes);
    outputs.forEach((output, i) => runParts(accumulateOp, [output, summands[i]], [], {}));
    for (const { buffer } of summands) machine.free(buffer);
  };

  const runParts = <A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A) => {
    const rowwise = isTooLarge([...inputs, ...outputs], limits) ? op.rowwise?.(inputs, attributes) : undefined;
    const pieces = rowwise ? piecesOf(inputs, outputs, attributes, rowwise, limits) : [];
    if (!pieces.length) runWhole(op, inputs, outputs, attributes);
    pieces.forEach((piece, i) => (rowwise!.adds && i > 0 ? addPiece(op, piece.inputs, outputs, piece.attributes) : runWhole(op, piece.inputs, piece.outputs, piece.attributes)));
  };

  return {
    ...recorder,
    run: runParts,
  };
}
