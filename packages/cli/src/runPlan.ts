import type { OutsideModel } from './commands/outsideModels';
import type { Source } from './data';
import type { Preset, TokenizerFile } from './models';
import type { Dataset } from '@genomelm/gue';
import type { ClassifierProtocol } from '@genomelm/model';

/** What `gue run` is to do. */
export interface Plan {
  readonly sources: readonly Source[];
  readonly models: readonly string[];
  /** Fitted elsewhere, so that each runs once, whatever the seeds. */
  readonly outside: readonly OutsideModel[];
  /** Of pre-trained models. */
  readonly protocols: readonly ClassifierProtocol[];
  readonly preset: Preset;
  readonly baselines: readonly string[];
  /** The convolutional baseline only where it is quick. */
  readonly smallCnn: boolean;
  readonly seeds: readonly number[];
  readonly tokenizerFile: TokenizerFile | undefined;
  /** Over the models' own. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  readonly out: string;
  readonly refresh: boolean;
  /** Whether test rows are searched in train. */
  readonly audit: boolean;
}

/** Where nothing is trained, every seed gives the same: one run. */
export const seedsOf = ({ seeds }: Plan, protocol: ClassifierProtocol): readonly number[] => (protocol === 'zero-shot' ? seeds.slice(0, 1) : seeds);

/** Training bases up to which the convolutional baseline runs unasked: about a minute on two cores. */
export const mostBasesForCnn = 6_000_000;

/** The baselines of one task: without the convolutional one where nobody asked for it and it would take long. */
export const baselinesFor = ({ baselines, smallCnn }: Plan, { train }: Dataset): readonly string[] =>
  baselines.filter((name) => name !== 'cnn' || !smallCnn || train.examples.reduce((sum, { sequence, pair = '' }) => sum + sequence.length + pair.length, 0) <= mostBasesForCnn);
