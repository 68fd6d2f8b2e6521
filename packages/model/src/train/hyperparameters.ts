/** What a fit can be told. `FitOptions.hyperparameters` overrides the classifier's defaults by these names. */
export interface Hyperparameters {
  /** The peak. */
  readonly learningRate: number;
  /** 0 chooses so many that training sees about 4.5 million tokens, between 2 and 8. */
  readonly epochs: number;
  /** Ends earlier; 0 is no limit. */
  readonly maxSteps: number;
  readonly tokensPerBatch: number;
  /** Sequences in a batch; 0 is no limit beside tokensPerBatch. */
  readonly batchSize: number;
  /** Share of the input tokens that training hides behind [MASK]. */
  readonly maskProbability: number;
  /** By default the configuration's. */
  readonly dropout?: number;
  readonly weightDecay: number;
  /** Share of the steps; `warmupSteps` above 0 stands in its place. */
  readonly warmupRatio: number;
  readonly warmupSteps: number;
  /** Largest global norm of the gradients; 0 is no limit. */
  readonly clipNorm: number;
  /** In tokens, special tokens included; 0 is no limit beside the model's own. */
  readonly maxLength: number;
  /** Steps between evaluations; 0 is after each epoch. */
  readonly evaluateEvery: number;
}

const common = { maxSteps: 0, weightDecay: 0.01, clipNorm: 1, maxLength: 0, evaluateEvery: 0, warmupSteps: 0, warmupRatio: 0.1 } as const;

/** Found by experiment for small encoders on GUE: 2,048 tokens a batch, 15 % hidden. */
export const fromScratch: Hyperparameters = { ...common, learningRate: 1e-3, epochs: 0, tokensPerBatch: 2048, batchSize: 0, maskProbability: 0.15 };

/**
 * `full`: DNABERT-2's own recipe (finetune/scripts/run_dnabert2.sh), with a share of warm-up steps instead of 30 or 50; 8,192 tokens of the 117 M shape fit in 4 GiB with layers computed again.
 * `lora`: as upstream trains adapters (run_nt.sh). `probe`: logistic regression on standardised vectors, which takes many cheap steps.
 */
export const fromPretrained: Readonly<Record<'full' | 'lora' | 'probe', Hyperparameters>> = {
  full: { ...common, learningRate: 3e-5, epochs: 3, tokensPerBatch: 8192, batchSize: 32, maskProbability: 0 },
  lora: { ...common, learningRate: 1e-4, epochs: 3, tokensPerBatch: 8192, batchSize: 32, maskProbability: 0 },
  probe: { ...common, learningRate: 1e-2, epochs: 20, tokensPerBatch: 2 ** 20, batchSize: 64, maskProbability: 0 },
};

type Range = readonly [lowest: number, below: number, integer?: 'integer'];
const ranges: Readonly<Record<keyof Hyperparameters, Range>> = {
  learningRate: [Number.MIN_VALUE, Infinity], epochs: [0, Infinity, 'integer'], maxSteps: [0, Infinity, 'integer'], tokensPerBatch: [1, Infinity, 'integer'], batchSize: [0, Infinity, 'integer'],
  maskProbability: [0, 1], dropout: [0, 1], weightDecay: [0, Infinity], warmupRatio: [0, 1], warmupSteps: [0, Infinity, 'integer'], clipNorm: [0, Infinity], maxLength: [0, Infinity, 'integer'], evaluateEvery: [0, Infinity, 'integer'],
};

/** @throws TypeError for an unknown name, RangeError for a value out of range */
export function readHyperparameters(defaults: Hyperparameters, given: Readonly<Record<string, number | string | boolean>>): Hyperparameters {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(ranges, name)) throw new TypeError(`hyperparameters: expected one of ${Object.keys(ranges).join(', ')}, got ${JSON.stringify(name)}`);
    const [lowest, below, integer] = ranges[name as keyof Hyperparameters];
    if (typeof value !== 'number' || !(value >= lowest && value < below) || (integer && !Number.isInteger(value))) throw new RangeError(`hyperparameters: expected ${name} to be ${integer ? 'an integer' : 'a number'} from ${lowest === Number.MIN_VALUE ? 'above 0' : lowest}${below === Infinity ? ' on' : ` to below ${below}`}, got ${JSON.stringify(value)}`);
  }
  return { ...defaults, ...given };
}

/** @param tokens - of the training data, once */
export const epochsFor = ({ epochs }: Hyperparameters, tokens: number): number => epochs || Math.min(8, Math.max(2, Math.round(4.5e6 / tokens)));
