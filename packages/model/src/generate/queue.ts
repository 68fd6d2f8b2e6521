/** Items from whoever makes them to one reader who awaits them. */
export interface Queue<T> extends AsyncIterableIterator<T> {
  /** Items that were not read yet. */
  readonly unread: number;
  push(item: T): void;
  /** No further items: the reader gets what is left, then the end, or this error. */
  close(error?: unknown): void;
}

/** @param onReturn - called when the reader leaves before the end */
export function createQueue<T>({ onRead, onReturn }: { readonly onRead?: () => void; readonly onReturn?: () => void } = {}): Queue<T> {
  const items: T[] = [];
  let closed: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const stir = () => {
    wake?.();
    wake = undefined;
  };
  const queue: Queue<T> = {
    get unread() {
      return items.length;
    },
    push(item) {
      if (closed) return;
      items.push(item);
      stir();
    },
    close(error) {
      closed ??= error === undefined ? {} : { error };
      stir();
    },
    async next() {
      while (!items.length && !closed) await new Promise<void>((resolve) => { wake = resolve; });
      if (items.length) {
        const value = items.shift()!;
        onRead?.();
        return { done: false, value };
      }
      if (closed!.error !== undefined) throw closed!.error;
      return { done: true, value: undefined };
    },
    async return() {
      if (!closed) onReturn?.();
      queue.close();
      items.length = 0;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => queue,
  };
  return queue;
}
