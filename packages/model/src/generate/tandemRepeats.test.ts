import fc from 'fast-check';
import { tandemRepeatFraction } from './tandemRepeats';

test.each<[string, number]>([
  ['', 0],
  ['ACGTTGCA', 0],
  ['AAACGT', 3 / 6],
  ['AACGT', 0],
  ['ACACAC', 1],
  ['GACACACT', 6 / 8],
  ['GACACACAT', 7 / 9], // the fourth copy is cut short
  ['ACGACGTACG', 0], // two copies and a T
  ['TTTACGACGACG', 1],
])('%s: %d', (sequence, fraction) => expect(tandemRepeatFraction(sequence)).toBeCloseTo(fraction, 12));

test("equals upstream's regular expression with an end cut short", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom('A', 'C'), { maxLength: 40 }), (letters) => {
    const sequence = letters.join('');
    const covered = new Set<number>();
    for (let start = 0; start < sequence.length; start++) {
      for (let period = 1; period <= 100 && start + 3 * period <= sequence.length; period++) {
        let end = start + period;
        while (end < sequence.length && sequence[end] === sequence[end - period]) end++;
        if (end - start >= 3 * period) for (let i = start; i < end; i++) covered.add(i);
      }
    }
    expect(tandemRepeatFraction(sequence)).toBeCloseTo(sequence ? covered.size / sequence.length : 0, 12);
  }));
});
