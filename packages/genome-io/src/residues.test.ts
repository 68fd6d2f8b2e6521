import fc from 'fast-check';
import { endOfResidues, keep, kinds, wordsOf } from './residues';

test('four at a time finds what one at a time finds, wherever the bytes lie in memory', () => {
  const letter = fc.constantFrom(...'AZazNgT*-.'.split('').map((each) => each.charCodeAt(0)));
  fc.assert(fc.property(fc.array(fc.oneof({ weight: 40, arbitrary: letter }, { weight: 1, arbitrary: fc.nat(255) }), { maxLength: 60 }), fc.nat(3), fc.nat(60), fc.nat(60), (list, shift, a, b) => {
    const chunk = Uint8Array.from([...new Array<number>(shift).fill(0), ...list]).subarray(shift);
    const [from, to] = [a, b].map((place) => Math.min(place, chunk.length)).sort((x, y) => x - y);
    let expected = from;
    while (expected < to && kinds[chunk[expected]] === keep) expected++;
    expect(endOfResidues(chunk, wordsOf(chunk), from, to)).toBe(expected);
  }), { numRuns: 2000 });
  for (let byte = 0; byte < 256; byte++) for (let place = 0; place < 4; place++) {
    const chunk = new Uint8Array(8).fill(65);
    chunk[place] = byte;
    expect(endOfResidues(chunk, wordsOf(chunk), 0, 8)).toBe(kinds[byte] === keep ? 8 : place);
  }
});
