import { baselines } from '@genomelm/gue';
import { list, UsageError, type Context } from '../command';

/** `--baselines a,b`, `all` or `none`. */
export function baselineNames(context: Pick<Context, 'values'>, fallback: readonly string[]): readonly string[] {
  const names = list(context, 'baselines') ?? fallback;
  if (names.length === 1 && names[0] === 'none') return [];
  if (names.length === 1 && names[0] === 'all') return Object.keys(baselines);
  for (const name of names) if (!Object.hasOwn(baselines, name)) throw new UsageError(`--baselines: expected ${Object.keys(baselines).join(', ')}, all or none, got ${name}`);
  return names;
}
