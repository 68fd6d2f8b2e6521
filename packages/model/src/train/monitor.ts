import { accumulate, fill, read, zeros, type Tensor } from '@genomelm/kernels';
import { createBreather } from '../breathe';

/** What a fit tells while it runs. */
export type Progress =
  | { readonly kind: 'step'; readonly step: number; readonly epoch: number; readonly loss: number; readonly learningRate: number; readonly tokensPerSecond: number; readonly secondsLeft: number }
  | { readonly kind: 'evaluation'; readonly step: number; readonly epoch: number; readonly devScore: number; readonly devLoss?: number };

/** A point of the learning curve. `trainLoss` is the mean over the steps since the point before. */
export interface CurvePoint {
  readonly step: number;
  /** Passes over the data, with fraction. */
  readonly epoch: number;
  readonly trainLoss?: number;
  readonly devScore?: number;
  readonly devLoss?: number;
}

interface MonitorOptions {
  readonly reportEvery?: number | undefined;
  readonly onProgress?: ((event: Progress) => void) | undefined;
  /** Of the function that a loss without meaning ends. */
  readonly name?: string;
  /** Where an interrupted run goes on. */
  readonly from?: { readonly step: number; readonly tokens: number; readonly curve: readonly CurvePoint[] } | undefined;
}

/** Counts, reads losses one report late so that the device never idles, and tells. */
export function createMonitor(device: Tensor['device'], totalSteps: number, { reportEvery = 10, onProgress, name = 'finetune', from }: MonitorOptions) {
  const curve: CurvePoint[] = [...(from?.curve ?? [])];
  const running = zeros(device, []);
  const breathe = createBreather();
  const start = { step: from?.step ?? 0, tokens: from?.tokens ?? 0 };
  let [tokens, steps, trainingMs, since] = [start.tokens, 0, 0, performance.now()];
  let pending: Promise<void> = Promise.resolve();
  const clock = () => {
    const now = performance.now();
    trainingMs += now - since;
    since = now;
  };
  const report = async (step: number, epoch: number, learningRate: number, count: number) => {
    const [seen, rateOf] = [tokens, trainingMs / 1000];
    const [total] = await read(running);
    const loss = total / count;
    if (!Number.isFinite(loss)) throw new RangeError(`${name}: expected a finite loss, got ${loss} by step ${step}; lower the learning rate, or check the labels`);
    curve.push({ step, epoch, trainLoss: loss });
    onProgress?.({ kind: 'step', step, epoch, loss, learningRate, tokensPerSecond: (seen - start.tokens) / rateOf, secondsLeft: (rateOf / (step - start.step)) * (totalSteps - step) });
  };
  return {
    curve,
    tokens: () => tokens,
    add(loss: Tensor, count: number) {
      accumulate(running, loss);
      tokens += count;
      steps++;
    },
    /** @param now - reports although it is not yet time */
    async after(step: number, epoch: number, learningRate: number, now = false) {
      if (steps === reportEvery || step === totalSteps || now) {
        await pending;
        clock();
        pending = report(step, epoch, learningRate, steps);
        pending.catch(() => undefined); // thrown where it is awaited, one report later
        fill(running, 0);
        steps = 0;
      }
      await breathe();
    },
    /** Runs what should not count as training time. */
    async outside<T>(f: () => Promise<T>): Promise<T> {
      await pending;
      clock();
      const result = await f();
      since = performance.now();
      return result;
    },
    evaluated(step: number, epoch: number, { score, loss }: { score: number; loss?: number }) {
      curve.push({ step, epoch, devScore: score, ...(loss === undefined ? {} : { devLoss: loss }) });
      onProgress?.({ kind: 'evaluation', step, epoch, devScore: score, ...(loss === undefined ? {} : { devLoss: loss }) });
    },
    finish: () => pending,
    async dispose() {
      await pending.catch(() => undefined); // whoever awaits finish() learns of it
      device.free(running.buffer);
    },
  };
}
