// Which pages of the KV cache belong to whom. Full pages of equal beginnings are shared: a page that is full never changes again, so nothing is ever copied (vLLM's block manager: Kwon et al. 2023, arXiv 2309.06180).
// But: there is no copy on write, as what is not full is not shared: up to 15 tokens of a shared prompt are computed once for each sequence.

/** Names what a page holds: its own ids, and the name of the page before. 0 is the name of the beginning. */
export type PageName = number;

export interface PagePool {
  /** Pages that can be had now: free ones, and those that only wait for someone to share them. */
  readonly available: number;
  /** A page of one's own. @throws RangeError where none is available */
  take(): number;
  /** The page of these ids after the page `before`, held once more; undefined where there is none. */
  share(before: PageName, ids: Uint32Array): { readonly page: number; readonly name: PageName } | undefined;
  /** Lets others share a page that will be full before anyone reads it. @returns its name, or that of an equal page that came first */
  publish(page: number, before: PageName, ids: Uint32Array): PageName;
  /** Gives a page up. If it has a name it stays until its room is needed, the longest unused first. */
  release(page: number): void;
}

interface Entry {
  readonly page: number;
  readonly name: PageName;
}

export function createPagePool(pages: number): PagePool {
  const free = Array.from({ length: pages }, (_, i) => pages - 1 - i);
  const holders = new Int32Array(pages);
  const entries = new Map<string, Entry>();
  const keys = new Map<number, string>();
  const idle = new Set<number>(); // in the order in which they were given up
  let names = 0;
  const keyOf = (before: PageName, ids: Uint32Array) => `${before}:${ids.join()}`;

  const evict = (): number | undefined => {
    const [page] = idle;
    if (page === undefined) return undefined;
    idle.delete(page);
    entries.delete(keys.get(page)!);
    keys.delete(page);
    return page;
  };

  return {
    get available() {
      return free.length + idle.size;
    },
    take() {
      const page = free.pop() ?? evict();
      if (page === undefined) throw new RangeError(`kvCache: expected a page of the ${pages} to be free, got none; give the cache more tokens`);
      holders[page] = 1;
      return page;
    },
    share(before, ids) {
      const entry = entries.get(keyOf(before, ids));
      if (!entry) return undefined;
      if (holders[entry.page]++ === 0) idle.delete(entry.page);
      return entry;
    },
    publish(page, before, ids) {
      const key = keyOf(before, ids);
      const first = entries.get(key);
      if (first) return first.name;
      entries.set(key, { page, name: ++names });
      keys.set(page, key);
      return names;
    },
    release(page) {
      if (--holders[page] > 0) return;
      if (keys.has(page)) idle.add(page);
      else free.push(page);
    },
  };
}
