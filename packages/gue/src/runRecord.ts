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

/** Scores apart for test items with and without a near duplicate in train; the latter are the homology-clean ones. */
export interface HomologyScores {
  /** Thresholds of the audit: least identity, and least coverage of the test item. */
  readonly identity: number;
  readonly coverage: number;
  readonly cleanItems: number;
  readonly homologousItems: number;
  /** `[classes]` */
  readonly cleanClassCounts: readonly number[];
  /** The task's own metric first, with an interval; empty without such items. */
  readonly clean: readonly Score[];
  readonly homologous: readonly Score[];
  /** The task's own metric on the clean items, each class weighted to its share of the whole test set; absent where a class has no clean item. */
  readonly matched?: number;
  /** The task's own metric, homologous minus clean; absent where one part has a single class. */
  readonly gap?: { readonly value: number; readonly interval: Interval };
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
  };
  /** Facts the model reports about its fit: parameters, tokensPerBase, truncatedFraction (share of test sequences cut), bestEpoch … */
  readonly report: Readonly<Record<string, number>>;
  /** Order of the test file. */
  readonly predictions: { readonly labels: readonly number[]; readonly predicted: readonly number[]; readonly probabilities: readonly (readonly number[])[] };
  /** The task's own metric first. */
  readonly scores: readonly Score[];
  /** Where an audit was given. */
  readonly homology?: HomologyScores;
  /** All test predictions fell into one class. */
  readonly collapsed: boolean;
  readonly curve: readonly CurvePoint[];
  /** `peakMemoryBytes` is the largest resident size of the process until the run's end, so that of an earlier run in it where that was larger; 0 where unknown. */
  readonly cost: { readonly fitSeconds: number; readonly predictSeconds: number; readonly peakMemoryBytes: number; readonly device: string; readonly threads: number };
}
