// The search of linear byte pair encoding (see linearTables.ts), the twin of linearWindow.ts: the same tokens, long runs of letters in four lanes.
// Where things are says linearWasmWindow.ts: what has a known size at places known here, tables of other sizes by way of the first words of the memory.
// @ts-nocheck
const LETTER_TABLES: usize = 64, CLASSES: usize = LETTER_TABLES + 3 * 256, BEST: usize = 1024, CODES: usize = BEST + 4 * 65536 + 32, FAILED: usize = CODES + 2 * 65536 + 64;
const BYTES: usize = FAILED + 65536 + 64, IDS: usize = BYTES + 65536 + 64, OFFSETS: usize = IDS + 4 * 65536, TOKENS: usize = OFFSETS + 8 * 65536;
const LETTERS = FAILED, LANES = OFFSETS; // never in use at the same time

const NO_LETTER: u32 = 255;
const RARE: u32 = 32; // in a candidate: it is no token, or longer ones may begin here
const OVERLAP: u32 = 128, LEAST: u32 = 4096; // letters that two lanes share, and of a run that takes lanes

@inline function bits(): u32 { return load<u32>(0); }
@inline function width(): u32 { return load<u32>(4); }
@inline function none(): u32 { return load<u32>(8); }
@inline function longest(): u32 { return load<u32>(20); }
@inline function ahead(): u32 { return load<u32>(24); }
// A token has 16 bytes: what may not follow it (a bit a way), twice its length, the next candidate, its column (bit, byte), its row.
@inline function twiceLengthOf(token: u32): u32 { return load<u16>(token << 4, TOKENS + 2); }
@inline function lengthOf(token: u32): u32 { return twiceLengthOf(token) >>> 1; }
@inline function shorterThan(token: u32): u32 { return load<u16>(token << 4, TOKENS + 6); }
@inline function rowOf(token: u32): u32 { return load<u32>(token << 4, TOKENS + 12); }

/** Encodes the run of letters from `from`, at most up to `limit`; leaves its end in the memory. @returns the number of tokens */
export function encodeRun(from: u32, limit: u32, table: u32): u32 {
  const classes = CLASSES + 48 * table;
  const n = load<u8>(classes, 32) != 0 ? packPairs(BYTES + from, limit - from, classes) : pack(BYTES + from, limit - from, LETTER_TABLES + (table << 8));
  store<u32>(28, from + n);
  if (n >= LEAST && n >= 16 * longest()) {
    const count = encodeInLanes(n);
    if (count > 0) return count;
  }
  memory.fill(FAILED, 0, n + 1);
  return n > 0 ? search(0, n, IDS, IDS, longestAt(0, n)) : 0;
}

/** Every position's next `width` letters as one number: position p is complete at letter p + width - 1. Before the first there is room for those of none. @returns the letters before the first other byte */
function pack(bytes: usize, most: u32, letters: usize): u32 {
  const shift = bits(), behind = (width() - 1) << 1, mask: u32 = (1 << (shift * width())) - 1;
  let n: u32 = 0, code: u32 = 0, at = CODES - behind;
  for (; n < most; n++, at += 2) {
    const letter = <u32>load<u8>(letters + load<u8>(bytes + n));
    if (letter == NO_LETTER) break;
    code = code << shift | letter;
    store<u16>(at, code & mask);
  }
  for (const end = at + behind; at < end; at += 2) store<u16>(at, (code = code << shift) & mask); // beyond the end they read as letter 0
  return n;
}

/** The same for letters of two bits, of which `classes` has the bytes and the numbers by the low half of a byte: sixteen at a time, four times as fast. */
function packPairs(bytes: usize, most: u32, classes: usize): u32 {
  const expected = v128.load(classes), numbers = v128.load(classes, 16), cases = v128.load8_splat(classes, 32), low = i8x16.splat(15);
  let n: u32 = 0;
  for (; n < most; n += 16) {
    const text = v128.load(bytes + n), index = v128.and(text, low);
    const found = i8x16.bitmask(i8x16.eq(i8x16.swizzle(expected, index), v128.and(text, cases)));
    v128.store(LETTERS + n, i8x16.swizzle(numbers, index));
    if (found != 0xffff) {
      n += ctz(~found);
      break;
    }
  }
  if (n > most) n = most;
  v128.store(LETTERS + n, i8x16.splat(0));
  for (let at: usize = 0; at < n; at += 8) {
    let codes = v128.load8x8_u(LETTERS + at);
    codes = v128.or(i16x8.shl(codes, 2), v128.load8x8_u(LETTERS + at, 1));
    codes = v128.or(i16x8.shl(codes, 2), v128.load8x8_u(LETTERS + at, 2));
    codes = v128.or(i16x8.shl(codes, 2), v128.load8x8_u(LETTERS + at, 3));
    codes = v128.or(i16x8.shl(codes, 2), v128.load8x8_u(LETTERS + at, 4));
    codes = v128.or(i16x8.shl(codes, 2), v128.load8x8_u(LETTERS + at, 5));
    codes = v128.or(i16x8.shl(codes, 2), v128.load8x8_u(LETTERS + at, 6));
    codes = v128.or(i16x8.shl(codes, 2), v128.load8x8_u(LETTERS + at, 7));
    v128.store(CODES + (at << 1), codes);
  }
  return n;
}

function longestAt(position: u32, n: u32): u32 {
  const shift = bits(), top = shift * (width() - 1), child = load<u32>(12), tokenAt = load<u32>(16);
  const entry = load<u32>(<u32>load<u16>(position << 1, CODES) << 2, BEST);
  if ((entry & RARE) == 0) return entry >>> 16;
  let node = entry >>> 16, candidate = load<u32>(tokenAt + (node << 2));
  for (let i = position + width(); node != 0 && i < n; i++) {
    node = load<u32>(child + (((node << shift) | (<u32>load<u16>(i << 1, CODES) >>> top)) << 2));
    const token = load<u32>(tokenAt + (node << 2));
    if (token != none()) candidate = token;
  }
  return candidate;
}

/** Goes on from `position` to `n` behind the tokens from `out` up to `at`, with the next candidate; FAILED is clear there. @returns the number of tokens from `out` on */
function search(position: u32, n: u32, out: usize, at: usize, candidate: u32): u32 {
  const nothing = none(), beyondAhead = bits() * (width() - ahead()), far = ahead();
  let last = at > out ? load<u32>(at - 4) : nothing;
  while (position < n) {
    const row = rowOf(last);
    let next = position;
    while (candidate != nothing) {
      const token = candidate << 4, forbidden = load<u32>(row + <u32>load<u16>(token, TOKENS + 10)) >>> <u32>load<u16>(token, TOKENS + 8);
      next = position + lengthOf(candidate);
      if (next + far < n) { // one branch for all: most mispredicted branches are here
        if (((forbidden | <u32>load<u8>(FAILED + next) | <u32>load<u16>(token, TOKENS) >>> (<u32>load<u16>(next << 1, CODES) >>> beyondAhead)) & 1) == 0) break;
      } else if (next <= n && ((forbidden | <u32>load<u8>(FAILED + next)) & 1) == 0) break;
      candidate = shorterThan(candidate);
    }
    if (candidate != nothing) {
      store<u32>(at, last = candidate);
      at += 4;
      position = next;
      if (position < n) candidate = longestAt(position, n);
    } else {
      if (at == out) unreachable();
      store<u8>(FAILED + position, 1);
      position -= lengthOf(last);
      candidate = shorterThan(last);
      at -= 4;
      last = at > out ? load<u32>(at - 4) : nothing;
    }
  }
  return <u32>(at - out) >>> 2;
}

/**
 * The search in four pieces of the run in turn, a candidate of each at a time, without branches on whether it fits: nothing is mispredicted, and while one
 * piece waits for its tables the others go on. Neighbouring pieces share letters and are joined where they hold the same token at the same place.
 *
 * Positions p and lengths count bytes of CODES; a candidate c is a token times 65,536, and in its low bits the way on from there (see BEST) or RARE.
 * Failed positions are not marked, which takes a load a candidate and helps almost never; so that time stays linear, patience with steps back ends.
 * @returns 0 where that happened, or where two pieces share no token
 */
function encodeInLanes(n: u32): u32 {
  const part = n / 4, margin = longest() + 8, free = rowOf(none()), room = 4 * (part + OVERLAP);
  let patience = n;
  const start0: u32 = 0, end0: u32 = part + OVERLAP, stop0: u32 = (end0 - margin) << 1, out0 = IDS;
  const start1: u32 = part, end1: u32 = 2 * part + OVERLAP, stop1: u32 = (end1 - margin) << 1, out1 = LANES;
  const start2: u32 = 2 * part, end2: u32 = 3 * part + OVERLAP, stop2: u32 = (end2 - margin) << 1, out2 = LANES + room;
  const start3: u32 = 3 * part, end3: u32 = n, stop3: u32 = (end3 - margin) << 1, out3 = LANES + 2 * room;
  let p0 = start0 << 1, at0 = out0, row0 = free, c0 = longestAt(start0, end0) << 16;
  let p1 = start1 << 1, at1 = out1, row1 = free, c1 = longestAt(start1, end1) << 16;
  let p2 = start2 << 1, at2 = out2, row2 = free, c2 = longestAt(start2, end2) << 16;
  let p3 = start3 << 1, at3 = out3, row3 = free, c3 = longestAt(start3, end3) << 16;
  while (p0 < stop0 && p1 < stop1 && p2 < stop2 && p3 < stop3) {
    const token0 = c0 >>> 12, next0 = p0 + <u32>load<u16>(token0, TOKENS + 2), entry0 = load<u32>(<u32>load<u16>(next0, CODES) << 2, BEST);
    const fails0 = (load<u32>(row0 + <u32>load<u16>(token0, TOKENS + 10)) >>> <u32>load<u16>(token0, TOKENS + 8) | <u32>load<u16>(token0, TOKENS) >>> entry0) & 1;
    store<u32>(at0, c0 >>> 16);
    at0 = select<usize>(at0, at0 + 4, fails0);
    c0 = select<u32>(load<u32>(token0, TOKENS + 4), entry0, fails0);
    row0 = select<u32>(row0, load<u32>(token0, TOKENS + 12), fails0);
    p0 = select<u32>(p0, next0, fails0);
    if ((c0 & RARE) != 0) { // one in nine
      if (patience-- == 0) return 0;
      c0 = settle(c0, p0, at0, row0, out0, end0);
      p0 = load<u32>(32), at0 = load<u32>(36), row0 = load<u32>(40);
    }
    const token1 = c1 >>> 12, next1 = p1 + <u32>load<u16>(token1, TOKENS + 2), entry1 = load<u32>(<u32>load<u16>(next1, CODES) << 2, BEST);
    const fails1 = (load<u32>(row1 + <u32>load<u16>(token1, TOKENS + 10)) >>> <u32>load<u16>(token1, TOKENS + 8) | <u32>load<u16>(token1, TOKENS) >>> entry1) & 1;
    store<u32>(at1, c1 >>> 16);
    at1 = select<usize>(at1, at1 + 4, fails1);
    c1 = select<u32>(load<u32>(token1, TOKENS + 4), entry1, fails1);
    row1 = select<u32>(row1, load<u32>(token1, TOKENS + 12), fails1);
    p1 = select<u32>(p1, next1, fails1);
    if ((c1 & RARE) != 0) { // one in nine
      if (patience-- == 0) return 0;
      c1 = settle(c1, p1, at1, row1, out1, end1);
      p1 = load<u32>(32), at1 = load<u32>(36), row1 = load<u32>(40);
    }
    const token2 = c2 >>> 12, next2 = p2 + <u32>load<u16>(token2, TOKENS + 2), entry2 = load<u32>(<u32>load<u16>(next2, CODES) << 2, BEST);
    const fails2 = (load<u32>(row2 + <u32>load<u16>(token2, TOKENS + 10)) >>> <u32>load<u16>(token2, TOKENS + 8) | <u32>load<u16>(token2, TOKENS) >>> entry2) & 1;
    store<u32>(at2, c2 >>> 16);
    at2 = select<usize>(at2, at2 + 4, fails2);
    c2 = select<u32>(load<u32>(token2, TOKENS + 4), entry2, fails2);
    row2 = select<u32>(row2, load<u32>(token2, TOKENS + 12), fails2);
    p2 = select<u32>(p2, next2, fails2);
    if ((c2 & RARE) != 0) { // one in nine
      if (patience-- == 0) return 0;
      c2 = settle(c2, p2, at2, row2, out2, end2);
      p2 = load<u32>(32), at2 = load<u32>(36), row2 = load<u32>(40);
    }
    const token3 = c3 >>> 12, next3 = p3 + <u32>load<u16>(token3, TOKENS + 2), entry3 = load<u32>(<u32>load<u16>(next3, CODES) << 2, BEST);
    const fails3 = (load<u32>(row3 + <u32>load<u16>(token3, TOKENS + 10)) >>> <u32>load<u16>(token3, TOKENS + 8) | <u32>load<u16>(token3, TOKENS) >>> entry3) & 1;
    store<u32>(at3, c3 >>> 16);
    at3 = select<usize>(at3, at3 + 4, fails3);
    c3 = select<u32>(load<u32>(token3, TOKENS + 4), entry3, fails3);
    row3 = select<u32>(row3, load<u32>(token3, TOKENS + 12), fails3);
    p3 = select<u32>(p3, next3, fails3);
    if ((c3 & RARE) != 0) { // one in nine
      if (patience-- == 0) return 0;
      c3 = settle(c3, p3, at3, row3, out3, end3);
      p3 = load<u32>(32), at3 = load<u32>(36), row3 = load<u32>(40);
    }
  }
  const count0 = finish(p0, start0, end0, out0, at0, c0);
  const count1 = finish(p1, start1, end1, out1, at1, c1);
  const count2 = finish(p2, start2, end2, out2, at2, c2);
  const count3 = finish(p3, start3, end3, out3, at3, c3);
  let count = count0;
  if ((count = join(count, end0, start1, out1, count1)) == 0) return 0;
  if ((count = join(count, end1, start2, out2, count2)) == 0) return 0;
  if ((count = join(count, end2, start3, out3, count3)) == 0) return 0;
  return count;
}

/** Takes the longer token, or steps back until there is a candidate. @returns it; leaves p, at and row in the memory */
function settle(c: u32, p: u32, at: usize, row: u32, out: usize, end: u32): u32 {
  if (c >>> 16 == none()) {
    do {
      if (at == out) unreachable();
      const last = load<u32>(at -= 4);
      p -= twiceLengthOf(last);
      c = load<u32>(last << 4, TOKENS + 4);
    } while ((c & RARE) != 0);
    row = rowOf(at > out ? load<u32>(at - 4) : none());
  } else c = longestAt(p >>> 1, end) << 16;
  store<u32>(32, p);
  store<u32>(36, at);
  store<u32>(40, row);
  return c;
}

/** The rest of a piece, where the first of the four is near its end: 3 % of the letters. */
function finish(p: u32, start: u32, end: u32, out: usize, at: usize, c: u32): u32 {
  memory.fill(FAILED + start, 0, end - start + 1);
  return search(p >>> 1, end, out, at, c >>> 16);
}

/** Appends to the tokens up to `end`, of which there are `count`, those of the piece that begins at `start`. @returns how many there are now, 0 where both share none */
function join(count: u32, end: u32, start: u32, out: usize, added: u32): u32 {
  let left = count, right: u32 = 0, ahead: i32 = end - start; // how far the start of `left` is ahead of the start of `right`
  while (left > 0 && ahead > 0) ahead -= lengthOf(load<u32>(--left << 2, IDS));
  while (ahead != 0 || load<u32>(left << 2, IDS) != load<u32>(out + (right << 2))) {
    if (ahead <= 0) ahead += lengthOf(load<u32>(left++ << 2, IDS));
    else ahead -= lengthOf(load<u32>(out + (right++ << 2)));
    if (left == count || right == added) return 0;
  }
  memory.copy(IDS + (left << 2), out + (right << 2), (added - right) << 2);
  return left + added - right;
}

/** Leaves in the memory where the first `count` tokens of the last run start and end, the first of them at `start`. */
export function locate(count: u32, start: u32): void {
  for (let i: u32 = 0, end: u32 = 0; i < count; i++, start = end) {
    end = start + lengthOf(load<u32>(i << 2, IDS));
    store<u32>(i << 3, start, OFFSETS);
    store<u32>(i << 3, end, OFFSETS + 4);
  }
}
