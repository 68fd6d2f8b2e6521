// One command encoder that everything goes into, in order: dispatches, copies of written data, copies to be read.
import type { BindGroups, Range } from './bindGroups';
import type { Failures } from './failures';
import type { Pace } from './pace';
import type { Pipeline } from './pipelineCache';
import type { Profiler } from './profiler';

export interface Commands {
  dispatch(op: string, pipeline: Pipeline, ranges: readonly Range[], workgroups: readonly [number, number, number], work: number): void;
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void;
  /** While this is set every dispatch has a pass of its own, with these timestamps. */
  profiler: Profiler | undefined;
  /** Sends what is recorded. */
  submit(): void;
  readonly submissions: () => number;
}

export interface CommandsOptions {
  readonly device: GPUDevice;
  readonly failures: Failures;
  readonly bindGroups: BindGroups;
  /** Says after how much estimated work a submission goes out by itself: the GPU starts while the host records on, and no submission is so long that a browser ends it. */
  readonly pace: Pace;
  beforeSubmit(): void;
  afterSubmit(): void;
}

/** However little a dispatch does, after so many of them a submission goes out. */
const dispatchesPerSubmit = 256;

export function createCommands({ device, failures, bindGroups, pace, beforeSubmit, afterSubmit }: CommandsOptions): Commands {
  let encoder: GPUCommandEncoder | undefined;
  let pass: GPUComputePassEncoder | undefined;
  let work = 0;
  let submissions = 0;
  let lastDone = 0;
  const ops = new Set<string>();
  const recording = () => (encoder ??= device.createCommandEncoder({ label: 'commands' }));
  /** Submissions run one after another: each begins when it is sent, or when the one before is done. */
  const watch = (amount: number) => {
    const sent = performance.now();
    device.queue.onSubmittedWorkDone().then(() => {
      const now = performance.now();
      pace.done(amount, now - Math.max(sent, lastDone));
      lastDone = now;
    }, () => undefined); // a lost GPU has a message of its own
  };
  const endPass = () => {
    pass?.end();
    pass = undefined;
  };

  const submit = () => {
    if (!encoder) return;
    endPass();
    beforeSubmit();
    const names = [...ops].join(', ');
    const ending = encoder;
    if (names) failures.during = names;
    failures.check('validation', (message) => `webgpu: expected commands that the GPU accepts from ${names || 'writes and reads'}, got "${message}"`, () => device.queue.submit([ending.finish()]));
    if (work >= pace.work()) watch(work);
    encoder = undefined;
    work = 0;
    submissions++;
    ops.clear();
    afterSubmit();
  };

  const commands: Commands = {
    profiler: undefined,
    dispatch(op, pipeline, ranges, workgroups, estimate) {
      const group = bindGroups.get(op, pipeline.layout, ranges);
      const { profiler } = commands;
      if (profiler) endPass();
      pass ??= recording().beginComputePass({ label: 'ops', ...(profiler && { timestampWrites: profiler.mark(op) }) });
      pass.setPipeline(pipeline.gpu);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
      ops.add(op);
      work += Math.max(estimate, pace.work() / dispatchesPerSubmit);
      if (work >= pace.work()) submit();
    },
    copy(from, fromOffset, to, toOffset, bytes) {
      endPass();
      recording().copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
    },
    submit,
    submissions: () => submissions,
  };
  return commands;
}
