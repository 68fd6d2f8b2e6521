import type { EvaluateOptions } from './evaluate';
import type { RunRecord } from './runRecord';
import type { Split } from './task';

/** What makes two runs the same run. The classifier is part of it, so that one model's results are never taken for another's. */
export interface RunIdentity {
  readonly task: string;
  readonly taskVersion: string;
  readonly dataSha256: Readonly<Record<Split, string>>;
  readonly model: string;
  readonly fingerprint: string;
  readonly hyperparameters: Readonly<Record<string, number | string | boolean>>;
  readonly seed: number;
  /** The class of device: see `RunRecord.device`. */
  readonly device: string;
}

/** The identity of the run that `evaluate` would make of these options. */
export function runIdentity({ task, dataset: { train, dev, test }, classifier, hyperparameters = {}, settings = {}, seed = 0, device = 'cpu' }: EvaluateOptions): RunIdentity {
  return {
    task: task.name, taskVersion: task.version, dataSha256: { train: train.sha256, dev: dev.sha256, test: test.sha256 },
    model: classifier.id, fingerprint: classifier.fingerprint, hyperparameters: { ...settings, ...hyperparameters }, seed, device,
  };
}

/** The identity of the run that left this record. */
export function identityOf({ task, taskVersion = '1', data, model, fingerprint, hyperparameters, seed, device = 'cpu' }: RunRecord): RunIdentity {
  return { task, taskVersion, dataSha256: data.sha256, model, fingerprint, hyperparameters, seed, device };
}
