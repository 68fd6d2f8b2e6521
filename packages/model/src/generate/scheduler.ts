// Continuous batching (Yu et al. 2022, "Orca"; Kwon et al. 2023, arXiv 2309.06180): sequences join and leave at every step. A step either computes prompts or draws one token for each sequence.
import { extend, pagesMissing, restart, sharePrefix, type KvCache } from './kvCache';
import { uncached, type Running } from './running';

/** The next `tokens` of one sequence, for which there are pages. */
export interface Work {
  readonly one: Running;
  readonly tokens: number;
}

export interface Scheduler {
  /** Sequences that are computed, and those that wait. */
  readonly running: number;
  readonly waiting: number;
  readonly counts: { readonly promptTokens: number; readonly sharedTokens: number; readonly preemptions: number };
  add(one: Running): void;
  /** What the next step computes: prompts and decoding by turns, where there is work of both kinds; nothing where all rest. Cancelled sequences have left by then. */
  next(): Work[];
  /** Gives up what a sequence holds. */
  leave(one: Running): void;
  all(): Running[];
}

/** @param limits - as in `EngineOptions` */
export function createScheduler(cache: KvCache, { maxSequences, prefillTokens, maxUnread }: { readonly maxSequences: number; readonly prefillTokens: number; readonly maxUnread: number }): Scheduler {
  const waiting: Running[] = [], active: Running[] = [];
  const counts = { promptTokens: 0, sharedTokens: 0, preemptions: 0 };
  let prefilled = false;

  /** Makes room for the next `tokens` of one; the youngest of the others gives way, but none of those to keep. @returns whether there is room */
  const makeRoom = (one: Running, tokens: number, keep: readonly Running[] = []): boolean => {
    while (pagesMissing(one.sequence, tokens) > cache.pool.available) {
      const other = active.findLast((candidate) => candidate !== one && !keep.includes(candidate));
      if (!other) return false;
      active.splice(active.indexOf(other), 1);
      restart(cache, other.sequence);
      waiting.unshift(other);
      counts.preemptions++;
    }
    return true;
  };

  /** The next piece of a prompt, of at most `left` tokens. */
  const takePiece = (one: Running, left: number, keep: readonly Running[]): Work | undefined => {
    const before = one.sequence.length;
    sharePrefix(cache, one.sequence);
    counts.sharedTokens += one.sequence.length - before;
    const rest = uncached(one);
    const tokens = rest <= left ? rest : left - (left % 16); // whole pages, so that they can be shared
    if (!tokens || !makeRoom(one, tokens, keep)) return undefined; // what the others publish must be computed
    extend(cache, one.sequence, tokens, { publish: true });
    counts.promptTokens += tokens;
    return { one, tokens };
  };

  /** Pieces of prompts: those under way first, then as many waiting ones as there is room for. */
  const takePrompts = (): Work[] => {
    const batch: Work[] = [];
    let left = prefillTokens;
    const take = (one: Running): void => {
      const work = takePiece(one, left, batch.map((taken) => taken.one));
      if (!work) return;
      left -= work.tokens;
      batch.push(work);
    };
    for (const one of active.filter((candidate) => uncached(candidate) > 1)) if (active.includes(one)) take(one);
    while (left >= 16 && waiting.length && active.length < maxSequences) {
      const [next] = waiting;
      if (active.length && pagesMissing(next.sequence, next.sequence.ids.length + 1) + active.length > cache.pool.available) break;
      active.push(waiting.shift()!);
      take(next);
    }
    return batch;
  };

  const takeDecoding = (): Work[] => {
    const ready = active.filter((one) => uncached(one) === 1 && one.events.unread < maxUnread);
    for (const one of ready) {
      if (!active.includes(one)) continue; // it gave way
      makeRoom(one, 1);
      extend(cache, one.sequence, 1);
    }
    return ready.filter((one) => active.includes(one)).map((one) => ({ one, tokens: 1 }));
  };

  const all = () => [...active, ...waiting];
  const leave = (one: Running): void => {
    restart(cache, one.sequence, []);
    for (const list of [active, waiting]) if (list.includes(one)) list.splice(list.indexOf(one), 1);
  };

  return {
    get running() {
      return active.length;
    },
    get waiting() {
      return waiting.length;
    },
    counts,
    add: (one) => void waiting.push(one),
    next() {
      for (const one of all()) if (one.cancelled) leave(one);
      const decoding = prefilled ? takeDecoding() : [], prompts = decoding.length ? [] : takePrompts();
      prefilled = prompts.length > 0;
      return decoding.length ? decoding : prompts.length ? prompts : takeDecoding();
    },
    leave,
    all,
  };
}
