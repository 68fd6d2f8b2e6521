import { bytes, count, duration, intervalText, listed, magnitude, percent, plural, points, share } from './format';

const spaced = (text: string) => text.replace(/\u00a0/g, ' ');

test('scores are printed times 100 with one decimal, with a true minus and no minus before zero', () => {
  expect([0.7764, -0.0743, -0.0001, 0, 1, NaN].map(percent)).toEqual(['77.6', '\u22127.4', '0.0', '0.0', '100.0', 'no number']);
  expect([0.031, -0.031, 0].map(points)).toEqual(['+3.1', '\u22123.1', '+0.0']);
  expect(intervalText({ low: -0.01, high: 0.5, level: 0.95, method: 'bca', resamples: 100 })).toBe('[\u22121.0, 50.0]');
  expect(intervalText(undefined)).toBe('none');
});

test('counts, sizes and times are short and keep their units', () => {
  expect([0, 999, 53952, 1234567].map(count)).toEqual(['0', '999', '53,952', '1,234,567']);
  expect([641, 4096, 431_618, 86e6, 117_068_544, 2.537e9, NaN].map(magnitude).map(spaced)).toEqual(['641', '4.1 k', '0.43 M', '86 M', '117 M', '2.5 B', 'no number']);
  expect([0.004, 0.9, 5.04, 92.4, 100, 600, 3600, Infinity].map(duration).map(spaced)).toEqual(['4 ms', '900 ms', '5.0 s', '92 s', '1.7 min', '10 min', '1.0 h', 'no number']);
  expect([2 ** 20, 388 * 2 ** 20, 3 * 2 ** 30].map(bytes).map(spaced)).toEqual(['1.0 MiB', '388 MiB', '3.0 GiB']);
  expect(spaced(share(0.62))).toBe('62.0 %');
});

test('lists read as sentences', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c']);
  expect([plural(1, 'seed'), plural(3, 'seed')]).toEqual(['1 seed', '3 seeds']);
});
