import fc from 'fast-check';

type Merge = readonly [left: string, right: string];

/** DNA with runs and repeats, which random letters do not have. */
export const dna = (alphabet = 'ACGT', maxParts = 12): fc.Arbitrary<string> => fc
  .array(fc.tuple(fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 5 })), { maxLength: maxParts })
  .map((parts) => parts.map(([motif, times]) => motif.repeat(times)).join(''));

/** Merges that join letters and earlier products, in random order of usefulness, so that many tokens are unreachable. */
export const merges = (alphabet: string, { distinctProducts }: { distinctProducts: boolean }): fc.Arbitrary<Merge[]> => fc
  .array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 })
  .map((choices) => {
    const texts = [...alphabet], result: Merge[] = [], pairs = new Set<string>();
    for (const [l, r] of choices) {
      const left = texts[l % texts.length], right = texts[r % texts.length];
      const known = texts.includes(left + right);
      if (left.length + right.length > 12 || pairs.has(`${left} ${right}`) || (distinctProducts && known)) continue;
      pairs.add(`${left} ${right}`);
      result.push([left, right]);
      if (!known) texts.push(left + right);
    }
    return result;
  });
