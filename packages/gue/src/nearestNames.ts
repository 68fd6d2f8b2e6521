/** The names most like one that was mistyped: those that begin with it, then the nearest by Levenshtein's distance. @param options - `within`: no further than so many edits; `most`: how many */
export function nearestNames(name: string, names: readonly string[], { within = Infinity, most = 3 }: { readonly within?: number; readonly most?: number } = {}): string[] {
  return names
    .map((each) => ({ each, distance: each.toLowerCase().startsWith(name.toLowerCase()) ? 0 : editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ distance }) => distance <= within)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ each }) => each);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
