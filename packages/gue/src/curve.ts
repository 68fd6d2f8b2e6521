import type { Progress } from './classifier';
import type { CurvePoint } from './runRecord';

/** A record keeps at most about this many training losses, however long the fit. */
const mostSteps = 256;

/** Collects a learning curve from a fit's events. Every look at the development set is kept; of the training losses every second, fourth … once there are too many. */
export function createCurve(): { add(event: Progress): void; points(): CurvePoint[] } {
  let steps: CurvePoint[] = [];
  const evaluations: CurvePoint[] = [];
  let stride = 1;
  let seen = 0;
  return {
    add(event) {
      if (event.kind === 'evaluation') evaluations.push({ step: event.step, epoch: event.epoch, devScore: event.devScore });
      if (event.kind !== 'step' || seen++ % stride !== 0) return;
      steps.push({ step: event.step, epoch: event.epoch, trainLoss: event.loss });
      if (steps.length <= mostSteps) return;
      steps = steps.filter((_, index) => index % 2 === 0);
      stride *= 2;
    },
    points: () => [...steps, ...evaluations].sort((a, b) => a.step - b.step),
  };
}
