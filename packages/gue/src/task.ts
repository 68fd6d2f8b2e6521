import type { MetricName } from './metrics/classification';

export type Split = 'train' | 'dev' | 'test';
export const splits: readonly Split[] = ['train', 'dev', 'test'];

/** One row of the benchmark: data only, frozen. */
export interface Task {
  /** For example `prom_core_tata`; see `tasks` for all of them. */
  readonly name: string;
  /** Changes when the row changes in a way that makes earlier runs incomparable. */
  readonly version: string;
  readonly benchmark: 'GUE' | 'GUE+' | 'NT';
  readonly family: string;
  /** Below the data directory, with `/`. */
  readonly folder: string;
  readonly description: string;
  /** In GUE and NT a label must lie below it. In GUE+ names, paper and files disagree, so there the data decide and this is what known copies hold. */
  readonly classes: number;
  /** Length of a sequence in base pairs, as declared. */
  readonly bp: number;
  /** Items are two sequences (a third CSV column). */
  readonly pair: boolean;
  /** The metric that the benchmark prescribes. */
  readonly metric: MetricName & ('mcc' | 'f1Macro');
  /** Rows of the distributed files where they are known. Other files are reported, never mended. */
  readonly declaredSizes?: Readonly<Partial<Record<Split, number>>>;
  /** Rows as the paper prints them, where they differ from the files. */
  readonly paperSizes?: Readonly<Partial<Record<Split, number>>>;
  /** Of the files that are known, uncompressed. Others are reported, never refused. */
  readonly sha256?: Readonly<Partial<Record<Split, string>>>;
  /** Where the benchmark has no development set: every `devEvery`-th training row is held out as one, unless there is a file. */
  readonly devEvery?: number;
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

/**
 * A task of one's own from JSON: `{"name", "folder", "classes", "bp"}` at least; `folder`, below the data directory, holds train, dev and test.csv.
 * Optional: `version`, `family`, `description`, `pair`, `metric` (`mcc` unless given, or `f1Macro`), `declaredSizes`, `citation`, `licence`.
 * @param file - named in errors
 * @throws RangeError for what is missing, unknown or of another kind
 */
export function parseTask(text: string, file = 'task.json'): Task {
  const fail = (expected: string, got: unknown, remedy: string): never => {
    throw new RangeError(`parseTask: expected ${expected}, got ${typeof got === 'string' ? got : String(JSON.stringify(got))} in ${file}; ${remedy}`);
  };
  let row: Record<string, unknown>;
  try {
    row = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new RangeError(`parseTask: expected JSON, got ${(cause as Error).message} in ${file}; check commas and quotes`, { cause });
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) fail('an object', row, 'write {"name": …, "folder": …, "classes": …, "bp": …}');
  for (const name of Object.keys(row)) if (!Object.hasOwn(userFields, name)) fail(`fields among ${Object.keys(userFields).join(', ')}`, name, 'remove it');
  const task = Object.fromEntries(Object.entries(userFields).map(([name, { fallback, valid, expected }]) => {
    const value = row[name] ?? fallback;
    if (!valid(value)) fail(`${expected} as ${name}`, value, 'see parseTask');
    return [name, value];
  })) as unknown as Pick<Task, 'name' | 'folder' | 'classes' | 'version' | 'family' | 'description' | 'bp' | 'pair' | 'metric' | 'citation' | 'licence' | 'declaredSizes'>;
  const { declaredSizes, ...rest } = task;
  // Strict as GUE's own: a label outside the declared classes is refused.
  return Object.freeze({ ...rest, ...(declaredSizes ? { declaredSizes } : {}), benchmark: 'GUE', upstream: { batchSize: 32, learningRate: 3e-5 }, published: [] });
}

interface UserField {
  readonly fallback?: unknown;
  readonly expected: string;
  valid(value: unknown): boolean;
}

const text = (fallback: string): UserField => ({ fallback, expected: 'a text', valid: (value) => typeof value === 'string' });
const whole = (least: number, most: number) => (value: unknown): boolean => Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const userFields: Readonly<Record<string, UserField>> = {
  name: { expected: 'letters, digits, dots, dashes and underscores', valid: (value) => typeof value === 'string' && /^[\w.-]+$/.test(value) },
  folder: { expected: 'a path below the data directory, with /,', valid: (value) => typeof value === 'string' && value !== '' && !value.startsWith('/') && !value.split(/[/\\]/).includes('..') },
  classes: { expected: 'a whole number from 2 to 4096', valid: whole(2, 4096) },
  bp: { expected: 'a length in bases', valid: whole(1, 1e9) },
  version: text('1'),
  family: text('of one\'s own'),
  description: text(''),
  pair: { fallback: false, expected: 'true or false', valid: (value) => typeof value === 'boolean' },
  metric: { fallback: 'mcc', expected: 'mcc or f1Macro', valid: (value) => value === 'mcc' || value === 'f1Macro' },
  citation: text(''),
  licence: text(''),
  declaredSizes: { expected: '{"train", "dev", "test"} in rows', valid: (value) => value === undefined || (typeof value === 'object' && value !== null && splits.every((split) => whole(1, 1e9)((value as Record<string, unknown>)[split]))) },
};
