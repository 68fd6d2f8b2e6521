import type { Interval } from '../runRecord';

const minus = '\u2212';
const space = '\u00a0'; // keeps a number and its unit on one line
const signed = (text: string): string => text.replace(/^-(?=[0.]*$)/, '').replace('-', minus);
const group = (text: string): string => text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** 0.7764 is "77.6", as the field prints its scores. */
export const percent = (value: number): string => (Number.isFinite(value) ? signed((100 * value).toFixed(1)) : 'no number');

/** A difference of scores in points, with its sign: "+3.1". */
export const points = (value: number): string => (Number.isFinite(value) && percent(value)[0] !== minus ? `+${percent(value)}` : percent(value));

export const intervalText = (interval: Interval | undefined): string => (interval ? `[${percent(interval.low)}, ${percent(interval.high)}]` : 'none');

/** A share with its sign: 0.62 is "62.0 %". */
export const share = (value: number): string => (Number.isFinite(value) ? `${percent(value)}${space}%` : 'no number');

/** 53952 is "53,952". */
export const count = (value: number): string => (Number.isFinite(value) ? signed(group(String(Math.round(value)))) : 'no number');

/** Parameters: 431618 is "0.43 M", 86000000 "86 M", 117068544 "117 M", 2537000000 "2.5 B". */
export function magnitude(value: number): string {
  if (!Number.isFinite(value)) return 'no number';
  const [unit, name] = value >= 1e9 ? [1e9, `${space}B`] : value >= 1e5 ? [1e6, `${space}M`] : value >= 1e3 ? [1e3, `${space}k`] : [1, ''];
  const scaled = value / unit;
  return `${scaled >= 100 || unit === 1 ? scaled.toFixed(0) : scaled.toPrecision(2)}${name}`;
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'no number';
  if (seconds < 0.995) return `${Math.round(seconds * 1000)}${space}ms`;
  if (seconds < 99.5) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)}${space}s`;
  if (seconds < 3570) return `${(seconds / 60).toFixed(seconds < 597 ? 1 : 0)}${space}min`;
  return `${(seconds / 3600).toFixed(1)}${space}h`;
}

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return 'no number';
  return value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(1)}${space}GiB` : `${(value / 2 ** 20).toFixed(value < 10 * 2 ** 20 ? 1 : 0)}${space}MiB`;
}

/** A p-value as papers print it: "< 0.001", "0.023". */
export const pText = (value: number): string => (!Number.isFinite(value) ? 'no number' : value < 0.001 ? '< 0.001' : value.toFixed(3));

/** "a", "a and b", "a, b and c". */
export const listed = (names: readonly string[]): string => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`);

/** "1 seed", "3 seeds". */
export const plural = (number: number, noun: string): string => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

const metricNames: Readonly<Record<string, string>> = { mcc: 'MCC', f1Macro: 'macro-F1', accuracy: 'accuracy', auroc: 'AUROC', auprc: 'AUPRC' };

/** The metric as papers write it; scores are shown as 100 times the metric. */
export const metricName = (metric: string): string => (Object.hasOwn(metricNames, metric) ? metricNames[metric] : metric);
