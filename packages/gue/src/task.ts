import type { MetricName } from './metrics/classification';

export type Split = 'train' | 'dev' | 'test';
export const splits: readonly Split[] = ['train', 'dev', 'test'];

/** One row of the benchmark: data only, frozen. */
export interface Task {
  /** For example `prom_core_tata`; see `tasks` for all of them. */
  readonly name: string;
  /** Changes when the row changes in a way that makes earlier runs incomparable. */
  readonly version: string;
  readonly benchmark: 'GUE' | 'GUE+';
  readonly family: string;
  /** Below the data directory, with `/`. */
  readonly folder: string;
  readonly description: string;
  /** In GUE a label must lie below it. In GUE+ names, paper and files disagree, so there the data decide and this is what known copies hold. */
  readonly classes: number;
  /** Length of a sequence in base pairs, as declared. */
  readonly bp: number;
  /** Items are two sequences (a third CSV column). */
  readonly pair: boolean;
  /** The metric that the benchmark prescribes. */
  readonly metric: MetricName & ('mcc' | 'f1Macro');
  /** Rows of the distributed files where they are known. Other files are reported, never mended. */
  readonly declaredSizes?: Readonly<Record<Split, number>>;
  /** Rows as the paper prints them, where they differ from the files. */
  readonly paperSizes?: Readonly<Record<Split, number>>;
  /** How DNABERT-2 was fine-tuned on it. */
  readonly upstream: UpstreamSettings;
  readonly published: readonly PublishedScore[];
  readonly citation: string;
  readonly licence: string;
}

/** Settings of DNABERT-2's own fine-tuning script (`finetune/scripts/run_dnabert2.sh`); what is undefined was not published. */
export interface UpstreamSettings {
  /** Longer inputs are cut, which is right only with the official tokenizer. */
  readonly maxTokens?: number;
  readonly epochs?: number;
  /** Ends training earlier than the epochs would. */
  readonly maxSteps?: number;
  readonly warmupSteps?: number;
  readonly evalEverySteps?: number;
  /** Over all devices. */
  readonly batchSize: number;
  /** Peak; falls linearly to zero. */
  readonly learningRate: number;
  readonly weightDecay?: number;
}

/** A score that others printed, from a single run unless the source says otherwise. */
export interface PublishedScore {
  readonly model: string;
  /** In percent, as printed, in the task's metric. */
  readonly score: number;
  /** Number of weights, as the source prints it. */
  readonly parameters?: number;
  readonly source: string;
}
