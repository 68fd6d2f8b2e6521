import { createPause } from '../pause';
import { createHomologSearch, type HomologyThresholds } from './homologSearch';

/** Groups of rows, merged as their members turn out to belong together. */
export interface Groups {
  merge(a: number, b: number): void;
  together(a: number, b: number): boolean;
  /** `[rows]`, groups numbered from 0 in the order of their first rows. */
  numbers(): number[];
}

/** Disjoint sets with path halving. */
export function createGroups(rows: number): Groups {
  const parent = Uint32Array.from({ length: rows }, (_, row) => row);
  const rootOf = (row: number): number => {
    while (parent[row] !== row) row = parent[row] = parent[parent[row]];
    return row;
  };
  return {
    merge: (a, b) => void (parent[rootOf(b)] = rootOf(a)),
    together: (a, b) => rootOf(a) === rootOf(b),
    numbers() {
      const known = new Map<number, number>();
      return Array.from(parent, (_, row) => {
        const root = rootOf(row);
        if (!known.has(root)) known.set(root, known.size);
        return known.get(root)!;
      });
    },
  };
}

/**
 * Merges rows of which one aligns to the other at or above the thresholds, and so on through others: single linkage, so that rows of different groups never align.
 * Rows that are together already are not aligned, which keeps sets of near-identical rows (virus_covid) cheap.
 */
export async function mergeHomologs(groups: Groups, texts: readonly string[], thresholds: HomologyThresholds, { signal, onProgress }: { readonly signal?: AbortSignal | undefined; onProgress?: ((done: number, total: number) => void) | undefined } = {}): Promise<void> {
  const search = createHomologSearch(texts, texts.reduce((longest, text) => Math.max(longest, text.length), 0), thresholds);
  const pause = createPause(signal);
  for (const [row, text] of texts.entries()) {
    await pause();
    for (const found of search(text, (other) => groups.together(row, other))) groups.merge(row, found.row);
    onProgress?.(row + 1, texts.length);
  }
}
