import fc from 'fast-check';
import { createPagePool } from './pagePool';

const ids = (...values: number[]) => Uint32Array.from(values);

test('a published page is shared by its ids and what came before', () => {
  const pool = createPagePool(4);
  const [a, b] = [pool.take(), pool.take()];
  const first = pool.publish(a, 0, ids(1, 2));
  const second = pool.publish(b, first, ids(3, 4));
  expect(pool.share(0, ids(1, 2))).toEqual({ page: a, name: first });
  expect(pool.share(first, ids(3, 4))).toEqual({ page: b, name: second });
  expect(pool.share(0, ids(3, 4))).toBeUndefined();
  expect(pool.share(first, ids(1, 2))).toBeUndefined();
});

test('an equal page that comes later stays private', () => {
  const pool = createPagePool(3);
  const [a, b] = [pool.take(), pool.take()];
  expect(pool.publish(a, 0, ids(7))).toBe(pool.publish(b, 0, ids(7)));
  pool.release(b);
  expect(pool.share(0, ids(7))!.page).toBe(a);
});

test('a page that nobody holds can still be shared until its room is needed, the longest unused first', () => {
  const pool = createPagePool(2);
  const [a, b] = [pool.take(), pool.take()];
  pool.publish(a, 0, ids(1));
  pool.publish(b, 0, ids(2));
  pool.release(b);
  pool.release(a);
  expect(pool.available).toBe(2);
  expect(pool.share(0, ids(2))!.page).toBe(b);
  pool.release(b); // now a waits longer
  expect(pool.take()).toBe(a);
  expect(pool.share(0, ids(1))).toBeUndefined();
  expect(pool.take()).toBe(b);
  expect(() => pool.take()).toThrow('expected a page of the 2 to be free, got none');
});

test('whatever is done, no page is held twice unless it is shared, and none is lost', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(5)), { maxLength: 200 }), (actions) => {
    const pool = createPagePool(5);
    const held: { page: number; content?: number }[] = [];
    for (const [action, n] of actions) {
      if (action === 0 && pool.available) {
        const page = pool.take();
        expect(held.some((other) => other.page === page)).toBe(false);
        held.push({ page });
      } else if (action === 1 && held.length) {
        const one = held[n % held.length];
        if (one.content !== undefined || held.some((other) => other !== one && other.page === one.page)) continue;
        pool.publish(one.page, 0, ids(n));
        const { page } = pool.share(0, ids(n))!; // its own, or that of an equal page that came first
        if (page === one.page) one.content = n;
        pool.release(page);
      } else if (action === 2) {
        const shared = pool.share(0, ids(n));
        if (shared) held.push({ page: shared.page, content: n });
      } else if (action === 3 && held.length) pool.release(held.splice(n % held.length, 1)[0].page);
      expect(pool.available).toBe(5 - new Set(held.map(({ page }) => page)).size);
    }
  }));
});
