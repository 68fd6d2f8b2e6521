import { createRandom, threefry2x32 } from './random';

test.each([
  [[0, 0], [0, 0], [0x6b200159, 0x99ba4efe]],
  [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x1cb996fc, 0xbb002be7]],
  [[0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], [0xc4923a9c, 0x483df7a0]],
] as [[number, number], [number, number], number[]][])('Threefry-2x32-20 gives the known answers of Random123: key %j', (key, counter, expected) => {
  expect(threefry2x32(...key, ...counter)).toEqual(expected);
});

test('uniform numbers are uniform, and streams of another seed, purpose or index are others', () => {
  const draw = (seed: number, purpose: string, index: number) => { const random = createRandom(seed, purpose, index); return Array.from({ length: 20_000 }, random.uniform); };
  const first = draw(1, 'a', 0);
  expect(draw(1, 'a', 0)).toEqual(first);
  const bins = new Float64Array(100);
  for (const value of first) bins[Math.floor(100 * value)]++;
  const chiSquare = bins.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  expect(chiSquare).toBeLessThan(99 + 5 * Math.sqrt(2 * 99)); // five standard deviations
  for (const other of [draw(2, 'a', 0), draw(1, 'b', 0), draw(1, 'a', 1)]) {
    const product = first.reduce((sum, value, i) => sum + (value - 0.5) * (other[i] - 0.5), 0) / first.length;
    expect(Math.abs(product * 12)).toBeLessThan(5 / Math.sqrt(first.length)); // correlation
  }
});

test('a shuffle keeps the elements and reaches every order equally often', () => {
  const seen = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const list = [1, 2, 3];
    createRandom(7, 'order', i).shuffle(list);
    seen.set(list.join(''), (seen.get(list.join('')) ?? 0) + 1);
  }
  expect([...seen.keys()].sort()).toEqual(['123', '132', '213', '231', '312', '321']);
  for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
});
