/** The vocabulary that a training builds, merge by merge. */
export type Merge = readonly [left: string, right: string];

export interface GrowingVocabulary {
  readonly vocab: Map<string, number>;
  readonly merges: Merge[];
  /** Letters by id; special tokens never occur in a corpus. */
  readonly lengths: Uint32Array;
  /** Merges that were there from the start, as ids: to be applied in this order before others are learnt. */
  readonly given: readonly (readonly [left: number, right: number, product: number])[];
  readonly size: number;
  /** The text of a product. */
  textOf(left: number, right: number): string;
  /** Adds a merge. @returns the id of its product, which may be a token already */
  merge(left: number, right: number): number;
}

/** What the trainers share. */
export interface LearnOptions {
  readonly goal: number;
  readonly minFrequency: number;
  readonly maxTokenLength: number;
  /** Reports, and lets other work and the signal in, now and then. */
  pause(pairCount: number): Promise<void>;
}

export function createGrowingVocabulary(vocab: Map<string, number>, initialMerges: readonly Merge[]): GrowingVocabulary {
  const texts = [...vocab.keys()], merges: Merge[] = [], lengths = new Uint32Array(2 ** 16).fill(1);
  const textOf = (left: number, right: number) => texts[left] + texts[right];
  const merge = (left: number, right: number) => {
    const product = textOf(left, right);
    let id = vocab.get(product);
    if (id === undefined) {
      vocab.set(product, id = vocab.size);
      texts.push(product);
      lengths[id] = product.length;
    }
    merges.push([texts[left], texts[right]]);
    return id;
  };
  const given = initialMerges.map(([left, right], i) => {
    const a = vocab.get(left), b = vocab.get(right);
    if (a === undefined || b === undefined) throw new RangeError(`trainBpe: expected initialMerges of this corpus and alphabet, got "${left} ${right}" at ${i}; pass the merges, and the alphabet, of the training that was interrupted`);
    return [a, b, merge(a, b)] as const;
  });
  return { vocab, merges, lengths, given, textOf, merge, get size() { return vocab.size; } };
}
