import type { ReliabilityBin } from './metrics/calibration';

/** A two-sided interval around a score, by resampling test items. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** Coverage, for example 0.95. */
  readonly level: number;
  readonly method: 'percentile' | 'bca';
  readonly resamples: number;
}

/** One metric on one set of items. `value` is on the metric's own scale (an MCC lies in -1 to 1), never in percent. */
export interface Score {
  readonly metric: string;
  readonly value: number;
  readonly items: number;
  readonly interval?: Interval;
}

/** What the audit counted; see `LeakageAudit`. */
export interface LeakCounts {
  readonly exactDuplicates: number;
  readonly reverseComplementDuplicates: number;
  readonly labelConflicts: number;
  readonly duplicatesInTrain: number;
  readonly nearDuplicates: number;
  readonly oppositeLabelTwins: number;
  /** Items. */
  readonly positionalTwins: number;
  readonly labelAgreement?: number;
}

/** Scores apart for test items with and without a near duplicate in train; the latter are the homology-clean ones. */
export interface HomologyScores {
  /** Thresholds of the audit: least identity, and least coverage of the test item. */
  readonly identity: number;
  readonly coverage: number;
  readonly leaks?: LeakCounts;
  readonly cleanItems: number;
  readonly homologousItems: number;
  /** `[classes]` */
  readonly cleanClassCounts: readonly number[];
  /** The task's own metric first, with an interval; empty without such items. */
  readonly clean: readonly Score[];
  readonly homologous: readonly Score[];
  /** The task's own metric on the clean items, each class weighted to its share of the whole test set; absent where a class has no clean item. */
  readonly matched?: number;
  /** The task's own metric on all items, with an interval for which homologous test items are drawn together; where the audit clustered them. */
  readonly clustered?: { readonly clusters: number; readonly interval: Interval };
  /** The task's own metric, homologous minus clean; absent where one part has a single class. */
  readonly gap?: { readonly value: number; readonly interval: Interval };
}

/** How well the probabilities can be believed. */
export interface Calibration {
  /** In nats. */
  readonly logLoss: number;
  /** Over 15 bins of equal width. */
  readonly expectedCalibrationError: number;
  readonly bins: readonly ReliabilityBin[];
  /** With two classes only, and the areas only where the test set holds both. */
  readonly brier?: number;
  readonly auroc?: number;
  readonly auprc?: number;
}

/** One time that items were handed out. A record holds all of them in order: the proof that selection saw the development set only, and that the test set was touched once. */
export interface Access {
  readonly split: 'train' | 'dev' | 'test';
  /** `fit` and `selection` go to the model while it is fitted, `prediction` after it, without labels; `scoring` is the harness's own. */
  readonly use: 'fit' | 'selection' | 'prediction' | 'scoring';
  readonly items: number;
  readonly labels: boolean;
  /** Of what was handed out, one line an item: sequence, pair (if any) and label (or nothing), with tabs between. */
  readonly sha256: string;
}

/** One point of a learning curve. */
export interface CurvePoint {
  readonly step: number;
  readonly epoch: number;
  readonly trainLoss?: number;
  readonly devScore?: number;
}

/**
 * What one run of one model (or baseline) with one seed on one task leaves behind. Per-item predictions are kept, so that any metric can be computed again without the model.
 * Everything in it is a function of data, model, hyper-parameters and seed, except what stands under `cost`.
 */
export interface RunRecord {
  readonly schema: 'genomelm-run/1';
  readonly task: string;
  /** Version of the task's row. */
  readonly taskVersion?: string;
  /** True where the data come from the simulator; every table and page says so. */
  readonly simulated: boolean;
  readonly kind: 'model' | 'baseline';
  /** For example `small`, `dnabert2-shape` or `kmer`. */
  readonly model: string;
  /** Hash of weights, configuration and tokenizer. */
  readonly fingerprint: string;
  readonly seed: number;
  readonly hyperparameters: Readonly<Record<string, number | string | boolean>>;
  readonly data: {
    readonly sha256: Readonly<Record<'train' | 'dev' | 'test', string>>;
    readonly sizes: Readonly<Record<'train' | 'dev' | 'test', number>>;
    /** Items of each class in the test split. */
    readonly testClassCounts: readonly number[];
    /** The same of the training split. */
    readonly trainClassCounts?: readonly number[];
    /** What differs from the task's row, in sentences. */
    readonly notes?: readonly string[];
  };
  /** In the order in which it happened. */
  readonly access?: readonly Access[];
  /** Facts the model reports about its fit: parameters, tokensPerBase, truncatedFraction (share of test sequences cut), bestEpoch … */
  readonly report: Readonly<Record<string, number>>;
  /** Order of the test file. */
  readonly predictions: { readonly labels: readonly number[]; readonly predicted: readonly number[]; readonly probabilities: readonly (readonly number[])[] };
  /** The task's own metric first. */
  readonly scores: readonly Score[];
  readonly calibration?: Calibration;
  /** All test predictions fell into one class. */
  readonly collapsed: boolean;
  readonly curve: readonly CurvePoint[];
  /** Where an audit was given, with the run or later. */
  readonly homology?: HomologyScores;
  /** What it ran on: `cpu`, `wasm`, `webgpu` … Other devices round otherwise, so they make other runs. */
  readonly device?: string;
  /** `peakMemoryBytes` is the largest resident size of the process until the run's end, so that of an earlier run in it where that was larger; 0 where unknown. */
  readonly cost: { readonly fitSeconds: number; readonly predictSeconds: number; readonly peakMemoryBytes: number; readonly device: string; readonly threads: number };
}
