// The search of linear byte pair encoding (see linearTables.ts), the twin of linearWindow.ts: change both.
// Where things are stands in the first words of the memory, in the order of `createWasmWindow`.
// @ts-nocheck
const NO_LETTER: u32 = 255;

/** Encodes the run of letters from `from`, at most up to `limit`; leaves its end in the memory. @returns the number of tokens */
export function encodeRun(from: u32, limit: u32, table: u32): u32 {
  const bits = load<u32>(0), width = load<u32>(4), none = load<u32>(8);
  const best = load<u32>(12), child = load<u32>(16), tokenAt = load<u32>(20), tokens = load<u32>(24), forbidden = load<u32>(28);
  const letters = load<u32>(32) + (table << 8), bytes = load<u32>(36) + from, ids = load<u32>(40), codes = load<u32>(44), failed = load<u32>(48);
  const top = bits * (width - 1), ahead = load<u32>(56), beyondAhead = bits * (width - ahead), most = limit - from;
  // Every position's next `width` letters, packed: position p is complete at letter p + width - 1. Before the first there is room for those of none.
  const behind = (width - 1) << 1, mask: u32 = (1 << (bits * width)) - 1;
  let n: u32 = 0, code: u32 = 0, at = codes - behind;
  for (; n < most; n++, at += 2) {
    const letter = <u32>load<u8>(letters + load<u8>(bytes + n));
    if (letter == NO_LETTER) break;
    code = (code << bits | letter) & mask;
    store<u16>(at, code);
  }
  for (const end = at + behind; at < end; at += 2) store<u16>(at, code = code << bits & mask); // beyond the end they read as letter 0
  memory.fill(failed, 0, n + 1);
  store<u32>(52, from + n);

  let count: u32 = 0, position: u32 = 0, last = none, candidate = none, isNew = true;
  while (position < n) {
    if (isNew) {
      const entry = load<u32>(best + (<u32>load<u16>(codes + (position << 1)) << 2));
      candidate = entry & 0xffff;
      let node = entry >>> 16;
      for (let i = position + width; node != 0 && i < n; i++) {
        node = load<u32>(child + (((node << bits) | (<u32>load<u16>(codes + (i << 1)) >>> top)) << 2));
        const token = load<u32>(tokenAt + (node << 2));
        if (token != none) candidate = token;
      }
    }
    const row = forbidden + (load<u32>(tokens + (last << 4), 12) << 2);
    let next = position;
    while (candidate != none) {
      const token = tokens + (candidate << 4), column = load<u32>(token, 8), first = load<u32>(token);
      next = position + (first & 0xffff);
      if (next + ahead < n) { // one branch for all: most mispredicted branches are here
        const follows = first >>> (16 + (<u32>load<u16>(codes + (next << 1)) >>> beyondAhead));
        if (((<u32>load<u8>(row + (column >>> 3)) >>> (column & 7) | <u32>load<u8>(failed + next) | ~follows) & 1) == 0) break;
      } else if (next <= n && ((<u32>load<u8>(row + (column >>> 3)) >>> (column & 7) | <u32>load<u8>(failed + next)) & 1) == 0) break;
      candidate = load<u32>(token, 4);
    }
    isNew = candidate != none;
    if (isNew) {
      store<u32>(ids + (count++ << 2), candidate);
      last = candidate;
      position = next;
    } else {
      if (count == 0) unreachable();
      const token = tokens + (last << 4);
      store<u8>(failed + position, 1);
      position -= load<u32>(token) & 0xffff;
      candidate = load<u32>(token, 4);
      last = --count > 0 ? load<u32>(ids + ((count - 1) << 2)) : none;
    }
  }
  return count;
}

/** Leaves in the memory where the first `count` tokens of the last run start and end, the first of them at `start`. */
export function locate(count: u32, start: u32): void {
  const tokens = load<u32>(24), ids = load<u32>(40), offsets = load<u32>(60);
  for (let i: u32 = 0, end: u32 = 0; i < count; i++, start = end) {
    end = start + (load<u32>(tokens + (load<u32>(ids + (i << 2)) << 4)) & 0xffff);
    store<u32>(offsets + (i << 3), start);
    store<u32>(offsets + (i << 3), end, 4);
  }
}
