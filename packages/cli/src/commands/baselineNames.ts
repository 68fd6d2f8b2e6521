import { baselines, type BaselineName, type SequenceClassifier } from '@genomelm/gue';
import { createCnnClassifier } from '@genomelm/model';
import { list, UsageError, type Context } from '../command';
import type { Device } from '@genomelm/kernels';

/** gue's own, and the network that model makes. */
export const allBaselines: readonly string[] = [...Object.keys(baselines), 'cnn'];

/** `--baselines a,b`, `all` or `none`. */
export function baselineNames(context: Pick<Context, 'values'>, fallback: readonly string[]): readonly string[] {
  const names = list(context, 'baselines') ?? fallback;
  if (names.length === 1 && names[0] === 'none') return [];
  if (names.length === 1 && names[0] === 'all') return allBaselines;
  for (const name of names) if (!allBaselines.includes(name)) throw new UsageError(`--baselines: expected ${allBaselines.join(', ')}, all or none, got ${name}`);
  return names;
}

/** @param name - of {@link allBaselines} */
export const baselineClassifier = (name: string, device: Device): SequenceClassifier => (name === 'cnn' ? createCnnClassifier({ device }) : baselines[name as BaselineName]());
