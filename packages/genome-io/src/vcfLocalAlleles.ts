// Local alleles (VCF 4.5, section 1.6.2): a sample's values for the few ALT alleles that its LAA lists, put back to those of all alleles.

type Value = string | number | null;

/**
 * The values of a field as its Number over all alleles has them; null where the sample says nothing.
 * @param number - `LA`, `LR` or `LG`
 * @param local - the sample's LAA: ALT alleles from 1, in the order of `values`
 * @param ploidy - of the sample's GT; 2 without it
 * @param tooMany - called for more than 2^20 genotypes, which no sample has but a damaged line may; must throw
 */
export function expandLocal(values: readonly Value[], number: 'LA' | 'LR' | 'LG', local: readonly number[], alternatives: number, ploidy: number, tooMany: (genotypes: number) => never): Value[] {
  if (number === 'LA') return Array.from({ length: alternatives }, (_, i) => values[local.indexOf(i + 1)] ?? null);
  const alleles = [0, ...local];
  if (number === 'LR') return Array.from({ length: alternatives + 1 }, (_, i) => values[alleles.indexOf(i)] ?? null);
  const genotypes = ploidy > 64 ? Infinity : genotypeIndex(new Array<number>(ploidy).fill(alternatives)) + 1;
  if (!(genotypes <= 2 ** 20)) tooMany(genotypes);
  const all = new Array<Value>(genotypes).fill(null);
  let at = 0;
  for (const genotype of genotypesInOrder(ploidy, local.length)) all[genotypeIndex(genotype.map((i) => alleles[i]).sort((a, b) => a - b))] = values[at++] ?? null;
  return all;
}

/** Place of the genotype k1 <= k2 <= … in the order of GL: the sum of k + m - 1 over m. */
function genotypeIndex(genotype: readonly number[]): number {
  return genotype.reduce((sum, k, i) => {
    let ways = 1;
    for (let m = 0; m <= i; m++) ways = (ways * (k + i - m)) / (m + 1);
    return sum + ways;
  }, 0);
}

/** Genotypes of `ploidy` alleles 0 to `largest`, in the order of GL. */
function* genotypesInOrder(ploidy: number, largest: number, after: readonly number[] = []): Generator<readonly number[]> {
  for (let allele = 0; allele <= largest; allele++) {
    if (ploidy === 1) yield [allele, ...after];
    else yield* genotypesInOrder(ploidy - 1, allele, [allele, ...after]);
  }
}
