import type { Example, Progress, SequenceClassifier } from './classifier';
import { createCurve } from './curve';
import type { Dataset } from './dataset';
import { withHomology, type HomologyAudit } from './homologyScores';
import { calibrationOf } from './metrics/calibration';
import { metricsOf, type MetricName } from './metrics/classification';
import { mostProbable } from './predictions';
import type { Access, RunRecord, Score } from './runRecord';
import { sha256 } from './sha256';
import { splits, type Split, type Task } from './task';
import { intervalOf } from './statistics/interval';
import { createCellStatistic } from './statistics/resample';

export interface EvaluateOptions {
  readonly task: Pick<Task, 'name' | 'version' | 'metric'>;
  readonly dataset: Dataset;
  readonly classifier: SequenceClassifier;
  /** Of the fit, and of the bootstrap. 0 unless given. */
  readonly seed?: number;
  readonly hyperparameters?: Readonly<Record<string, number | string | boolean>>;
  /** What else belongs to the model's description, such as `tokens` or `position`: it goes into the record's hyper-parameters and not to the fit. */
  readonly settings?: Readonly<Record<string, number | string | boolean>>;
  /** `model` unless given. */
  readonly kind?: RunRecord['kind'];
  /** Of the bootstrap; 10,000 unless given. */
  readonly resamples?: number;
  /** Of the same data; then every score is also given without the test items that have a near duplicate in train. */
  readonly audit?: HomologyAudit;
  /** What the classifier runs on; `cpu` and 1 unless given. The device is part of the run's identity, the number of threads is not. */
  readonly device?: string;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  onProgress?(event: Progress): void;
}

/**
 * Fits a classifier on the training split, with the development split for selection, and scores it once on the test split, whose labels it never sees.
 * @returns a record with every prediction, scores with 95 % intervals (the task's metric first), the learning curve and the cost
 * @throws RangeError where the classifier returns something else than probabilities; the signal's reason after an abort
 */
export async function evaluate(options: EvaluateOptions): Promise<RunRecord> {
  const { task, dataset, classifier, seed = 0, hyperparameters = {}, settings = {}, kind = 'model', resamples = 10_000, device = 'cpu', threads = 1, signal, audit } = options;
  if (dataset.task !== task.name) throw new RangeError(`evaluate: expected the dataset of ${task.name}, got that of ${dataset.task}; load it with loadDataset(task, directory)`);
  const { classes } = dataset;
  const curve = createCurve();
  const onProgress = (event: Progress): void => {
    curve.add(event);
    options.onProgress?.(event);
  };
  signal?.throwIfAborted();
  const access: Access[] = [];
  /** The only way to the items. */
  const handOut = async (split: Split, use: Access['use'], labels = true): Promise<readonly Example[]> => {
    const examples = labels ? dataset[split].examples : dataset[split].examples.map(withoutLabel);
    access.push({ split, use, items: examples.length, labels, sha256: await sha256(examples.map(lineOf).join('')) });
    return examples;
  };
  const [train, dev] = [await handOut('train', 'fit'), classifier.usesDev === false ? [] : await handOut('dev', 'selection')];
  const started = performance.now();
  const fitted = await classifier.fit(train, dev, { classes, hyperparameters, seed, onProgress, ...(signal ? { signal } : {}) });
  const fitDone = performance.now();
  let probabilities: Float32Array;
  let report: Readonly<Record<string, number>>;
  try {
    signal?.throwIfAborted();
    probabilities = await fitted.predict(await handOut('test', 'prediction', false));
    report = Object.fromEntries(Object.entries(fitted.report ?? {}).filter(([, value]) => Number.isFinite(value)));
  } finally {
    await fitted.dispose?.();
  }
  const predictDone = performance.now();
  checkProbabilities(probabilities, dataset.test.examples.length, classes, classifier.id);
  const labels = (await handOut('test', 'scoring')).map((example) => example.label);
  const predicted = mostProbable(probabilities, classes);
  const ofSplits = <T>(value: (split: Split) => T) => Object.fromEntries(splits.map((split) => [split, value(split)])) as Record<Split, T>;
  const rows = rowsOf(probabilities, classes);
  const record: RunRecord = {
    schema: 'genomelm-run/1', task: task.name, taskVersion: task.version, simulated: dataset.simulated, kind,
    model: classifier.id, fingerprint: classifier.fingerprint, seed, hyperparameters: { ...settings, ...hyperparameters },
    data: {
      sha256: ofSplits((split) => dataset[split].sha256), sizes: ofSplits((split) => dataset[split].examples.length), testClassCounts: dataset.test.classCounts,
      trainClassCounts: dataset.train.classCounts, notes: dataset.notes,
    },
    access,
    report,
    predictions: { labels, predicted, probabilities: rows },
    scores: scoreAll(task.metric, labels, predicted, resamples, seed),
    calibration: calibrationOf(labels, rows),
    collapsed: predicted.every((prediction) => prediction === predicted[0]),
    curve: curve.points(),
    device,
    cost: {
      fitSeconds: (fitDone - started) / 1000, predictSeconds: (predictDone - fitDone) / 1000, peakMemoryBytes: peakMemory(), device, threads,
    },
  };
  return audit ? withHomology(record, audit) : record;
}

const withoutLabel = (example: Example): Example => ({ ...example, label: -1 });

const lineOf = ({ sequence, pair, label }: Example): string => `${sequence}\t${pair === undefined ? '' : `${pair}\t`}${label < 0 ? '' : label}\n`;

/** The task's own metric first, then the usual ones, each with its interval. */
function scoreAll(metric: MetricName, labels: readonly number[], predicted: readonly number[], resamples: number, seed: number): Score[] {
  return metricsOf(metric).map((name) => {
    const { estimate, interval } = intervalOf(createCellStatistic(labels, [predicted], name, ([value]) => value), { resamples, seed });
    return { metric: name, value: estimate, items: labels.length, interval };
  });
}

function checkProbabilities(probabilities: Float32Array, items: number, classes: number, id: string): void {
  if (probabilities.length !== items * classes)
    throw new RangeError(`evaluate: expected ${items} x ${classes} probabilities from ${id}, got ${probabilities.length} numbers; return one row of classes for each example`);
  for (let item = 0; item < items; item++) {
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      const probability = probabilities[item * classes + k];
      if (!(probability >= 0 && probability <= 1)) throw new RangeError(`evaluate: expected probabilities from 0 to 1 from ${id}, got ${probability} for test item ${item}; apply a softmax, and check the fit for divergence`);
      sum += probability;
    }
    if (Math.abs(sum - 1) > 1e-3) throw new RangeError(`evaluate: expected probabilities that add up to 1 from ${id}, got ${sum} for test item ${item}; apply a softmax over the classes`);
  }
}

/** Nine digits are enough to give back every float32, and take half the room of seventeen. */
function rowsOf(probabilities: Float32Array, classes: number): number[][] {
  return Array.from({ length: probabilities.length / classes }, (_, row) => Array.from(probabilities.subarray(row * classes, (row + 1) * classes), (value) => Number(value.toPrecision(9))));
}

/** The largest resident size of this process so far, 0 where nobody tells (in a browser). */
function peakMemory(): number {
  return typeof process === 'undefined' ? 0 : 1024 * (process.resourceUsage?.().maxRSS ?? 0);
}
