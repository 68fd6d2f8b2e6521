import type { Interval, RunRecord } from '../runRecord';

/** A score that a paper prints for a task. */
export interface PublishedRow {
  readonly model: string;
  /** In percent, as printed. */
  readonly score: number;
  /** Number of weights of the published model; a row without it counts as not comparable. */
  readonly parameters?: number;
}

/** What a report needs to know of a task. The benchmark's task rows fit. */
export interface ReportTask {
  readonly name: string;
  /** The metric that the benchmark prescribes; every record of the task must hold a score with this name. */
  readonly metric: string;
  readonly classes: number;
  /** Length of a sequence in base pairs, as declared. */
  readonly bp?: number;
  readonly description?: string;
  readonly published?: readonly PublishedRow[];
  /** Rows of each split in the files as they are known, and as the paper prints them. Where the run's files differ the report says so; it changes nothing. */
  readonly declaredSizes?: Readonly<Partial<Record<Split, number>>>;
  readonly paperSizes?: Readonly<Partial<Record<Split, number>>>;
}

export const splits = ['train', 'dev', 'test'] as const;
type Split = (typeof splits)[number];

/** One model's score on one task over all of its seeds, with items nested in seeds; computed by the caller. */
export interface Aggregate {
  readonly task: string;
  readonly model: string;
  /** Number of seeds. */
  readonly seeds: number;
  /** Mean over the seeds, on the metric's own scale. */
  readonly mean: number;
  readonly interval: Interval;
}

/** A paired difference, model minus baseline, on the same test items; computed by the caller. */
export interface PairedDifference {
  readonly task: string;
  readonly model: string;
  readonly baseline: string;
  /** On the metric's own scale. */
  readonly difference: number;
  readonly interval: Interval;
  /** Two-sided, uncorrected. */
  readonly pValue?: number;
}

/** Everything that a report shows. It computes means and counts from the records, and no statistics beyond. */
export interface ReportInput {
  readonly title: string;
  /** At most one for each task, model and seed. */
  readonly records: readonly RunRecord[];
  /** In the order of the report. A task without records is shown as not run. */
  readonly tasks: readonly ReportTask[];
  readonly aggregates?: readonly Aggregate[];
  readonly differences?: readonly PairedDifference[];
  /** Sentences for the section "What this means", shown before those that follow from the records. */
  readonly notes?: readonly string[];
  /** Facts about the making of the report, in order: command, versions, machine, date. */
  readonly provenance: Readonly<Record<string, string>>;
  /** Where each record lies, in the order of `records`; shown as text. */
  readonly recordPaths?: readonly string[];
}
