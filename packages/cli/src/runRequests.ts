import { codeHash } from './codeHash';
import { baselineClassifier } from './commands/baselineNames';
import type { OutsideModel } from './commands/outsideModels';
import type { Source } from './data';
import type { PreparedModel } from './models';
import type { Dataset, EvaluateOptions } from '@genomelm/gue';
import type { Device } from '@genomelm/kernels';

/** Where a run takes place. */
export interface Place {
  readonly source: Source;
  readonly dataset: Dataset;
  readonly device: Device;
}

const onDevice = ({ kind, limits }: Device) => ({ device: kind, threads: limits.threads });

/** The network among the baselines is trained by our code and on the device, as models are. */
export const baselineRequest = (name: string, { source: { task }, dataset, device }: Place): EvaluateOptions =>
  ({ task, dataset, classifier: baselineClassifier(name, device), kind: 'baseline', seed: 0, ...(name === 'cnn' ? { settings: { code: codeHash() }, ...onDevice(device) } : {}) });

/** Fitted elsewhere, so that it runs once. */
export const outsideRequest = async ({ source: outside, classifierFor }: OutsideModel, { source: { name, task }, dataset }: Place): Promise<EvaluateOptions> =>
  ({ task, dataset, classifier: await classifierFor(name), kind: 'model', seed: 0, settings: { outside } });

export const modelRequest = ({ classifier, settings, hyperparameters }: PreparedModel, { source: { task }, dataset, device }: Place, seed: number): EvaluateOptions =>
  ({ task, dataset, classifier, kind: 'model', seed, settings, hyperparameters, ...onDevice(device) });
