import type { Example, FitOptions, SequenceClassifier } from '../classifier';
import { mcc } from '../metrics/classification';
import { createPause } from '../pause';
import { mostProbable } from '../predictions';
import type { DesignMatrix } from './designMatrix';
import { fitLogisticRegression, predictProbabilities, type LogisticRegression, type LogisticRegressionProblem } from './logisticRegression';
import type { Iteration } from './minimize';

/** Turns items into numbers, with whatever it learns from the training items (scales, lengths). */
export interface Features {
  learn(train: readonly Example[]): { readonly trainMatrix: DesignMatrix; matrixOf(examples: readonly Example[]): DesignMatrix };
}

export interface LinearBaseline {
  readonly id: string;
  /** Settings of the features, written out. */
  readonly settings: string;
  readonly features: Features;
  /** Inverse regularisation strengths to try, ascending. */
  readonly C: readonly number[];
}

/** How far the chosen fit goes on, so that predictions are the minimum's own and not those of where a search stopped: near a probability of a half the first 1e-5 leave some open. */
const finalTolerance = 1e-8;

/** Logistic regression on fixed features. Among the values of C the one with the highest MCC on the development set wins, the smaller one among equals. */
export function linearBaseline({ id, settings, features, C }: LinearBaseline): SequenceClassifier {
  return {
    id,
    fingerprint: `${id}/2 ${settings} C=${C.join(',')}`,
    async fit(train, dev, options) {
      if (train.length === 0 || dev.length === 0) throw new RangeError(`${id}: expected training and development items, got ${train.length} and ${dev.length}; C is chosen on the development set`);
      const { trainMatrix, matrixOf } = features.learn(train);
      const devMatrix = matrixOf(dev);
      const trainLabels = train.map((example) => example.label);
      const devLabels = dev.map((example) => example.label);
      const fitTo = (settings: Pick<LogisticRegressionProblem, 'C' | 'start' | 'tolerance'>) =>
        runWithPauses(fitLogisticRegression({ matrix: trainMatrix, labels: trainLabels, classes: options.classes, ...settings }), options);
      let best: { model: LogisticRegression; C: number; devScore: number } | undefined;
      let start: Float64Array | undefined;
      for (const [index, strength] of C.entries()) {
        const model = await fitTo({ C: strength, ...(start ? { start } : {}) });
        start = model.coefficients;
        const devScore = mcc(devLabels, mostProbable(predictProbabilities(model, devMatrix), options.classes));
        options.onProgress?.({ kind: 'note', text: `${id}: C = ${strength}, ${model.iterations} iterations, dev MCC ${devScore.toFixed(4)}`, fraction: (index + 1) / C.length });
        if (!best || devScore > best.devScore) best = { model, C: strength, devScore };
      }
      const { C: chosenC, model: near, devScore } = best!;
      const model = await fitTo({ C: chosenC, start: near.coefficients, tolerance: finalTolerance });
      return {
        predict: async (examples) => predictProbabilities(model, matrixOf(examples)),
        report: { C: chosenC, parameters: model.coefficients.length, devScore },
      };
    },
  };
}

/** Runs a fit to its end without holding up the event loop. */
async function runWithPauses(fitting: Generator<Iteration, LogisticRegression>, { signal }: FitOptions): Promise<LogisticRegression> {
  const pause = createPause(signal);
  for (;;) {
    await pause();
    const { done, value } = fitting.next();
    if (done) return value;
  }
}
