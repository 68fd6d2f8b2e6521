import { flatten, read, scope, valueAndGrad, type Data, type OptimizerOptions, type Tensor, type Tree } from '@genomelm/kernels';
import { createMonitor, type CurvePoint, type Progress } from './monitor';
import { createOptimizer } from './optimizer';
import { linearSchedule } from './schedule';
import { deviceOf } from '../parameters';
import type { TrainKey } from '../models/encoder';

/** What is learnt from what. `B` is whatever the caller uses as a batch. */
export interface FinetuneTask<P extends Tree, B> {
  /** Updated in place. */
  readonly params: P;
  /** The batches of every epoch. */
  readonly epochs: readonly (readonly B[])[];
  tokens(batch: B): number;
  /** Mean loss of a batch, `[]`. */
  loss(params: P, batch: B, key: TrainKey): Tensor;
  /**
   * Judges the parameters. The latest that are no worse than the best by more than its `standardError` are kept: within that, scores differ by chance, and the later have the smaller learning rate.
   * Without it the last parameters stay.
   */
  evaluate?: (() => Promise<Judgement>) | undefined;
}

export interface Judgement {
  readonly score: number;
  /** Of the score, as an estimate from a finite set; 0 unless given. */
  readonly standardError?: number;
  readonly loss?: number;
  /** All predictions are the same: the model has collapsed, or the data say nothing. */
  readonly constant?: boolean;
}

export interface FinetuneOptions extends OptimizerOptions {
  /** The peak, after warm-up. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly seed: number;
  /** Ends earlier than the epochs would. */
  readonly maxSteps?: number | undefined;
  /** Evaluates every so many steps instead of after each epoch. */
  readonly evaluateEvery?: number | undefined;
  /** Ends after so many evaluations without a higher score. */
  readonly patience?: number | undefined;
  /** The loss is read after so many steps, because reading waits for the device. Default 10. */
  readonly reportEvery?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: Progress) => void) | undefined;
}

export interface FinetuneResult {
  readonly steps: number;
  /** Seen in training, repetitions included. */
  readonly tokens: number;
  readonly curve: readonly CurvePoint[];
  /** Where the parameters now are: the evaluation that was kept. */
  readonly best?: { readonly step: number; readonly epoch: number; readonly score: number; readonly loss?: number; readonly constant?: boolean };
}

/**
 * Trains parameters with AdamW, linear warm-up and decay, and leaves those in place that the evaluations chose. The same seed and batches give the same curve.
 * @throws the signal's reason when it is aborted; the parameters are then as the last step left them
 */
export async function finetune<P extends Tree, B>(task: FinetuneTask<P, B>, options: FinetuneOptions): Promise<FinetuneResult> {
  const { params, epochs, evaluate } = task;
  const { learningRate, warmupSteps, seed, maxSteps = Infinity, evaluateEvery, patience = Infinity, signal } = options;
  const schedule = planSteps(epochs, maxSteps);
  const totalSteps = schedule.length;
  const optimizer = createOptimizer(params, options);
  const monitor = createMonitor(deviceOf(params), totalSteps, options);
  const keeper = createKeeper(params);
  let [done, highest, sinceHighest] = [0, -Infinity, 0];
  try {
    for (const [index, { batch, epoch, endsEpoch }] of schedule.entries()) {
      signal?.throwIfAborted();
      const step = index + 1;
      const rate = learningRate * linearSchedule(index, { warmupSteps, totalSteps });
      scope<void>(() => {
        const { value, grads } = valueAndGrad<P>((p) => task.loss(p, batch, { seed, step }))(params);
        optimizer.update(grads, rate);
        monitor.add(value, task.tokens(batch));
      });
      done = step;
      await monitor.after(step, epoch, rate);
      const due = step === totalSteps || (evaluateEvery ? step % evaluateEvery === 0 : endsEpoch);
      if (!evaluate || !due) continue;
      const judged = await monitor.outside(evaluate);
      monitor.evaluated(step, epoch, judged);
      await keeper.offer({ step, epoch, ...judged }, step === totalSteps);
      sinceHighest = judged.score > highest ? 0 : sinceHighest + 1;
      highest = Math.max(highest, judged.score);
      if (sinceHighest >= patience) break;
    }
    await monitor.finish();
    keeper.restore();
    const best = keeper.best();
    return { steps: done, tokens: monitor.tokens(), curve: monitor.curve, ...(best ? { best } : {}) };
  } finally {
    optimizer.dispose();
    await monitor.dispose();
  }
}

interface Step<B> {
  readonly batch: B;
  /** Passes over the data after this step. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
}

function planSteps<B>(epochs: readonly (readonly B[])[], maxSteps: number): Step<B>[] {
  const steps = epochs.flatMap((batches, epoch) => batches.map((batch, i) => ({ batch, epoch: epoch + (i + 1) / batches.length, endsEpoch: i + 1 === batches.length })));
  if (!steps.length || maxSteps < 1) throw new RangeError('finetune: expected at least one batch, got none; give it training data and at least one epoch');
  return steps.slice(0, maxSteps);
}

type Best = NonNullable<FinetuneResult['best']>;

/** Holds the chosen parameters in host memory: that costs no device memory, and writing them back is exact. */
function createKeeper(params: Tree) {
  let best: Best | undefined;
  let goodEnough = -Infinity;
  let kept: Data[] | undefined;
  const leaves = flatten(params).map(([, leaf]) => leaf);
  return {
    best: () => best,
    async offer({ standardError = 0, ...candidate }: Best & Judgement, isLast: boolean) {
      goodEnough = Math.max(goodEnough, candidate.score - standardError);
      if (best && !(candidate.score >= goodEnough)) return;
      best = candidate;
      kept = isLast ? undefined : await Promise.all(leaves.map(read));
    },
    restore: () => kept?.forEach((values, i) => leaves[i].device.write(leaves[i], values)),
  };
}
