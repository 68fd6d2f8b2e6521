// What a classifier's outputs are trained towards, and how they are judged: one record for each kind of label.
import { crossEntropy, matmul, mul, reshape, scale, scope, sub, sum, tensor, type Tensor } from '@genomelm/kernels';
import { weightedCrossEntropy } from '../heads/weightedCrossEntropy';
import { mcc, standardErrorOfMcc } from '../mcc';
import { argmaxRows, softmaxRows } from '../predict';
import type { Judgement } from './finetune';

export interface Objective {
  /** Outputs of the classifier. */
  readonly outputs: number;
  /** Mean loss of rows, `[]`. @param logits - `[rows, outputs]` @param targets - as many as the objective has for each row */
  loss(logits: Tensor, targets: ArrayLike<number>): Tensor;
  /** @param logits - `[rows, outputs]` */
  judge(logits: Float32Array, targets: ArrayLike<number>): Judgement;
}

export const metrics = ['mcc', 'f1', 'accuracy', 'loss', 'pearson', 'r2'] as const;
export type Metric = (typeof metrics)[number];

const refuseMetric = (metric: Metric, known: readonly Metric[]): never => {
  throw new RangeError(`objective: expected a metric among ${known.join(', ')}, got ${metric}`);
};

/**
 * One class a row, softmax cross-entropy. Rows with the label `ignored` do not count.
 * @param options.classWeights - what a row of each class counts; the loss is the weighted mean, as torch's CrossEntropyLoss has it
 */
export function classification({ classes, classWeights, metric = 'mcc' }: { readonly classes: number; readonly classWeights?: readonly number[] | undefined; readonly metric?: Metric }): Objective {
  if (classWeights && (classWeights.length !== classes || !classWeights.every((weight) => weight > 0 && weight < Infinity))) throw new RangeError(`objective: expected ${classes} class weights above 0, got ${JSON.stringify(classWeights)}`);
  if (!(['mcc', 'f1', 'accuracy', 'loss'] as Metric[]).includes(metric)) refuseMetric(metric, ['mcc', 'f1', 'accuracy', 'loss']);
  const weightOf = (label: number) => (label < 0 ? 0 : (classWeights?.[label] ?? 1));
  return {
    outputs: classes,
    loss: (logits, targets) => {
      const weights = Float64Array.from(targets, weightOf);
      return weights.some((weight) => weight > 0) ? weightedCrossEntropy(logits, targets, weights) : scope<Tensor>(() => scale(sum(logits), 0)); // a batch of tokens without one label teaches nothing
    },
    judge(logits, targets) {
      const rows = Array.from({ length: targets.length }, (_, i) => i).filter((i) => targets[i] >= 0);
      const labels = Int32Array.from(rows, (i) => targets[i]);
      const all = softmaxRows(logits, classes);
      const probabilities = rows.length === targets.length ? all : Float32Array.from({ length: rows.length * classes }, (_, i) => all[rows[Math.floor(i / classes)] * classes + (i % classes)]);
      const predicted = argmaxRows(probabilities, classes);
      const loss = labels.reduce((total, label, i) => total - Math.log(Math.max(probabilities[i * classes + label], 2 ** -149)), 0) / labels.length;
      const constant = predicted.every((label) => label === predicted[0]);
      const judged = { loss, constant };
      if (metric === 'loss') return { score: -loss, ...judged };
      if (metric === 'mcc') {
        const score = mcc(labels, predicted, classes);
        return { score, standardError: standardErrorOfMcc(score, labels.length), ...judged };
      }
      const accuracy = predicted.filter((label, i) => label === labels[i]).length / labels.length;
      const score = metric === 'f1' ? macroF1(labels, predicted, classes) : accuracy;
      return { score, standardError: Math.sqrt((score * (1 - score)) / labels.length), ...judged };
    },
  };
}

/** Unweighted mean of the F1 of the classes that are there or predicted, as scikit-learn's `f1_score(average='macro')`. */
function macroF1(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number {
  const [both, either] = [new Float64Array(classes), new Float64Array(classes)];
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === predicted[i]) both[labels[i]]++;
    either[labels[i]]++;
    either[predicted[i]]++;
  }
  return both.reduce((total, hits, k) => total + (either[k] ? (2 * hits) / either[k] : 0), 0) / either.filter((count) => count > 0).length;
}

/** Any number of labels a row, each 0 or 1: binary cross-entropy, averaged over rows and labels. */
export function multiLabel({ labels: outputs, metric = 'f1' }: { readonly labels: number; readonly metric?: Metric }): Objective {
  if (!(['f1', 'accuracy', 'loss'] as Metric[]).includes(metric)) refuseMetric(metric, ['f1', 'accuracy', 'loss']);
  return {
    outputs,
    // The logistic loss of z is the softmax cross-entropy of (0, z).
    loss: (logits, targets) => scope<Tensor>(() => {
      const { device } = logits;
      const pairs = matmul(reshape(logits, [targets.length, 1]), tensor(device, [0, 1], [1, 2]));
      return scale(crossEntropy(pairs, tensor(device, Int32Array.from(targets))).sum, 1 / targets.length);
    }),
    judge(logits, targets) {
      const predicted = Array.from(logits, (z) => (z > 0 ? 1 : 0));
      const loss = predicted.reduce<number>((total, _, i) => total + Math.log1p(Math.exp(-Math.abs(logits[i]))) + Math.max(logits[i], 0) - targets[i] * logits[i], 0) / targets.length;
      const accuracy = predicted.filter((label, i) => label === targets[i]).length / targets.length;
      const f1 = Array.from({ length: outputs }, (_, k) => {
        const own = predicted.flatMap((label, i) => (i % outputs === k ? [[label, targets[i]]] : []));
        const [hits, marked] = [own.filter(([a, b]) => a && b).length, own.reduce((total, [a, b]) => total + a + b, 0)];
        return marked ? (2 * hits) / marked : 0;
      }).reduce((a, b) => a + b, 0) / outputs;
      const constant = predicted.every((label, i) => label === predicted[i % outputs]);
      return { score: { f1, accuracy, loss: -loss }[metric as 'f1'], loss, constant };
    },
  };
}

/** Numbers: mean squared error over rows and outputs. Targets should be near deviation 1: standardise them first. */
export function regression({ outputs = 1, metric = 'pearson' }: { readonly outputs?: number; readonly metric?: Metric } = {}): Objective {
  if (!(['pearson', 'r2', 'loss'] as Metric[]).includes(metric)) refuseMetric(metric, ['pearson', 'r2', 'loss']);
  return {
    outputs,
    loss: (logits, targets) => scope<Tensor>(() => {
      const d = sub(logits, tensor(logits.device, Float32Array.from(targets), logits.shape));
      return scale(sum(mul(d, d)), 1 / targets.length);
    }),
    judge(values, targets) {
      const truth = Array.from(targets);
      const loss = truth.reduce((total, y, i) => total + (values[i] - y) ** 2, 0) / truth.length;
      const column = (list: ArrayLike<number>, k: number) => Array.from(list).filter((_, i) => i % outputs === k);
      const scores = Array.from({ length: outputs }, (_, k) => compareColumns(column(values, k), column(targets, k)));
      const mean = (name: 'pearson' | 'r2') => scores.reduce((total, score) => total + score[name], 0) / outputs;
      return { score: metric === 'loss' ? -loss : mean(metric as 'pearson'), loss, constant: scores.every(({ constant }) => constant) };
    },
  };
}

function compareColumns(x: readonly number[], y: readonly number[]): { pearson: number; r2: number; constant: boolean } {
  const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
  const [mx, my] = [mean(x), mean(y)];
  const [xx, yy] = [x.reduce((total, v) => total + (v - mx) ** 2, 0), y.reduce((total, v) => total + (v - my) ** 2, 0)];
  const xy = x.reduce((total, v, i) => total + (v - mx) * (y[i] - my), 0);
  const errors = x.reduce((total, v, i) => total + (v - y[i]) ** 2, 0);
  // Deviations below a millionth of the truth's are no prediction.
  return { pearson: xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0, r2: yy > 0 ? 1 - errors / yy : 0, constant: xx <= 1e-12 * yy };
}
