import fc from 'fast-check';
import { planSteps, samplers, type Piece, type SamplerName } from './sampler';

const names = Object.keys(samplers) as SamplerName[];
const lengths = Array.from({ length: 300 }, (_, i) => 20 + ((i * 7919) % 400));
const groups = lengths.map((_, i) => i % 3);
const budget = { tokensPerStep: 512, seed: 1 };
const perPass = lengths.reduce((a, b) => a + b, 0);
const tokensOf = (pieces: readonly Piece[]) => pieces.reduce((total, { start, end }) => total + end - start, 0);
const firstPass = (sampler: SamplerName) => [...planSteps({ lengths, groups }, { ...budget, sampler, steps: Math.floor(perPass / 512) })];

test.each(names)('%s: every step has the same number of tokens, and a pass meets each token once', (sampler) => {
  const steps = firstPass(sampler);
  expect(new Set(steps.map(tokensOf))).toEqual(new Set([512]));
  const seen = lengths.map((length) => new Uint8Array(length));
  for (const { sequence, start, end } of steps.flat()) for (let i = start; i < end; i++) seen[sequence][i]++;
  const times = seen.flatMap((own) => [...own]);
  expect(Math.max(...times)).toBe(1);
  expect(times.reduce((a, b) => a + b, 0)).toBe(steps.length * 512);
});

test('any lengths and budget fill their steps exactly, the same each time', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }).filter((all) => all.some((length) => length > 1)), fc.integer({ min: 2, max: 50 }), fc.constantFrom(...names), (some, tokensPerStep, sampler) => {
    const plan = () => [...planSteps({ lengths: some }, { sampler, tokensPerStep, steps: 7, seed: 3 })];
    const steps = plan();
    expect(steps.map(tokensOf)).toEqual(Array.from({ length: 7 }, () => tokensPerStep));
    expect(plan()).toEqual(steps);
  }), { numRuns: 100 });
});

const meanLengths = (sampler: SamplerName) => firstPass(sampler).map((pieces) => pieces.reduce((total, { sequence }) => total + lengths[sequence], 0) / pieces.length);

test('the warm-up begins with short sequences and ends with long ones; the others do not', () => {
  const rise = (means: readonly number[]) => means.slice(-10).reduce((a, b) => a + b, 0) / means.slice(0, 10).reduce((a, b) => a + b, 0);
  for (const name of ['length-warmup', 'length-warmup-mixed'] as const) expect(rise(meanLengths(name))).toBeGreaterThan(5);
  for (const name of ['random', 'length-grouped'] as const) expect(rise(meanLengths(name))).toBeLessThan(2);
});

test('of one length, species come one after another, or mixed', () => {
  const same = { lengths: Array.from({ length: 90 }, () => 16), groups: Array.from({ length: 90 }, (_, i) => i % 3) };
  const order = (sampler: SamplerName) => [...planSteps(same, { sampler, tokensPerStep: 16, steps: 90, seed: 1 })].map(([{ sequence }]) => same.groups[sequence]);
  expect(order('length-warmup')).toEqual([...order('length-warmup')].sort());
  expect(order('length-warmup-mixed')).not.toEqual([...order('length-warmup-mixed')].sort());
});

test('truncation cuts short at first, and not at the end', () => {
  const steps = firstPass('truncation');
  const longest = (pieces: readonly Piece[]) => Math.max(...pieces.map(({ start, end }) => end - start));
  expect(longest(steps[0])).toBe(64);
  expect(Math.max(...steps.slice(-20).map(longest))).toBeGreaterThan(300);
});

test('nothing to learn from is refused', () => {
  expect(() => [...planSteps({ lengths: [1, 1] }, { ...budget, sampler: 'random', steps: 1 })]).toThrow('pretrain: expected sequences of at least 2 tokens, got none');
});
