/** One item: a sequence, or two that belong together, and its class. */
export interface Example {
  readonly sequence: string;
  readonly pair?: string;
  /** From 0. While predicting it is -1: the harness withholds the truth. */
  readonly label: number;
}

/** What a fit may tell while it runs: a training step, a look at the development set, or a note. Losses are means over items, scores lie on their metric's own scale. */
export type Progress =
  | {
      readonly kind: 'step';
      /** From 1. */
      readonly step: number;
      /** Passes over the training data so far, with fraction. */
      readonly epoch: number;
      readonly loss: number;
      readonly learningRate?: number;
      readonly tokensPerSecond?: number;
      /** A guess of what remains of the fit. */
      readonly secondsLeft?: number;
    }
  | { readonly kind: 'evaluation'; readonly step: number; readonly epoch: number; readonly devScore: number; readonly devLoss?: number }
  /** Anything else worth a line. `fraction` is the share of the fit that is done. */
  | { readonly kind: 'note'; readonly text: string; readonly fraction?: number };

export interface FitOptions {
  /** Number of classes; labels lie in 0 to classes - 1. */
  classes: number;
  hyperparameters: Readonly<Record<string, number | string | boolean>>;
  /** All randomness of the fit comes from it: the same seed gives the same predictions. */
  seed: number;
  signal?: AbortSignal;
  onProgress?(event: Progress): void;
}

/**
 * Anything that learns to classify sequences. This is all that the harness asks of a model.
 * A plain object will do; nothing needs to be imported from here.
 */
export interface SequenceClassifier {
  /** Names the model in tables, for example `kmer`. */
  readonly id: string;
  /** Identifies what would be fitted: a hash of weights, configuration and tokenizer, or the settings written out. Runs are stored under it. */
  readonly fingerprint: string;
  /** False: `fit` takes nothing from dev, is handed none of it, and the record shows that. */
  readonly usesDev?: boolean;
  /** Learns from `train`; `dev` is for selection only. */
  fit(train: readonly Example[], dev: readonly Example[], options: FitOptions): Promise<FittedClassifier>;
}

export interface FittedClassifier {
  /** Probabilities `[examples, classes]`, row by row. */
  predict(examples: readonly Example[]): Promise<Float32Array>;
  /** Facts for the run record, for example `parameters` or `truncatedFraction`. */
  readonly report?: Readonly<Record<string, number>>;
  dispose?(): Promise<void>;
}
