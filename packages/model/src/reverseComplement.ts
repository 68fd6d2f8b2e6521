/** IUPAC nucleotide codes and their complements. genome-io has the same function; this package depends on the kernels alone. */
const [letters, paired] = ['ACGTURYSWKMBDHVNacgturyswkmbdhvn-.', 'TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn-.'];
const complements = new Map([...letters].map((letter, i) => [letter, paired[i]]));

/** The other strand, read 5' to 3'. Case is kept. @throws RangeError for a letter that is no nucleotide code */
export function reverseComplement(sequence: string): string {
  const other = new Array<string>(sequence.length);
  for (let i = 0; i < sequence.length; i++) {
    const letter = complements.get(sequence[i]);
    if (letter === undefined) throw new RangeError(`reverseComplement: expected IUPAC nucleotide codes, got ${JSON.stringify(sequence[i])} at position ${i}; remove or mask it`);
    other[sequence.length - 1 - i] = letter;
  }
  return other.join('');
}
