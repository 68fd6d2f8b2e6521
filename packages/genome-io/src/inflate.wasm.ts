// Inflates one block of BGZF (RFC 1951, at most 64 KiB of text) and sums it up (RFC 1952, section 8): see inflate.ts. All addresses are bytes of the memory; 8 bytes behind the data may be read and 32 behind the text written.
// But: what is refused is not explained here; the slow path does that.
// @ts-nocheck
/** Bits that one look into a table decodes; longer codes are found bit by bit. */
const LITERAL_BITS: u32 = 10, DISTANCE_BITS: u32 = 9, LENGTH_BITS: u32 = 7;
/** Where tables lie: of 32-bit entries, JOINED of 64-bit ones, and three times as many that lead to it; the first 2 KiB are the compiler's. */
const CRC: u32 = 2048, JOINED: u32 = CRC + 16 * 1024, PARTS: u32 = JOINED + (8 << LITERAL_BITS), DISTANCES: u32 = PARTS + 3 * (8 << LITERAL_BITS), LENGTHS: u32 = DISTANCES + (4 << DISTANCE_BITS);
/** For each kind of code: 16 counts by length and the symbols in the order of their codes, 16 bits each. */
const LITERAL_CODES: u32 = LENGTHS + (4 << LENGTH_BITS), DISTANCE_CODES: u32 = LITERAL_CODES + 32 + 2 * 288, LENGTH_CODES: u32 = DISTANCE_CODES + 32 + 2 * 32;
/** The length of each code in bits, a byte each; and where the next symbol of a length goes. */
const BITS_OF: u32 = LENGTH_CODES + 32 + 2 * 20, PLACES: u32 = BITS_OF + 320;
/** In which order the lengths of the codes of lengths come (section 3.2.7). */
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** Of an entry of LITERALS: what it is, beside the code's bits in 0 to 3. */
const LITERAL: u32 = 16, MATCH: u32 = 64, END: u32 = 128;

/** The literal from 16 on; or the extra bits of a length from 8 and the shortest from 16 on. */
function literalEntry(symbol: u32): u32 {
  if (symbol < 256) return symbol << 16 | LITERAL;
  if (symbol == 256) return END;
  if (symbol < 265) return MATCH | (symbol - 254) << 16;
  if (symbol > 284) return symbol == 285 ? MATCH | 258 << 16 : 0;
  const extra = (symbol - 261) >> 2;
  return MATCH | extra << 8 | (((4 + ((symbol - 261) & 3)) << extra) + 3) << 16;
}

/** Extra bits from 8, the shortest distance from 16 on. */
function distanceEntry(symbol: u32): u32 {
  if (symbol < 4) return (symbol + 1) << 16;
  if (symbol > 29) return 0;
  const extra = (symbol - 2) >> 1;
  return extra << 8 | (((2 + (symbol & 1)) << extra) + 1) << 16;
}

function entryOf(codes: u32, symbol: u32): u32 { return codes == LITERAL_CODES ? literalEntry(symbol) : codes == DISTANCE_CODES ? distanceEntry(symbol) : symbol << 16 | 1 << 8; }

function reverse(code: u32, length: u32): u32 {
  let bits = (code & 0x5555) << 1 | code >> 1 & 0x5555;
  bits = (bits & 0x3333) << 2 | bits >> 2 & 0x3333;
  bits = (bits & 0x0f0f) << 4 | bits >> 4 & 0x0f0f;
  return ((bits & 0xff) << 8 | bits >> 8) >> (16 - length);
}

/**
 * Puts the `count` symbols whose lengths begin at `lengths` in the order of their canonical codes (section 3.2.2).
 * @returns whether the codes use up all bits, or are as few as one code of one bit
 */
function order(lengths: u32, count: u32, codes: u32): bool {
  memory.fill(codes, 0, 32);
  for (let i: u32 = 0; i < count; i++) {
    const at = codes + (<u32>load<u8>(lengths + i) << 1);
    store<u16>(at, load<u16>(at) + 1);
  }
  store<u16>(codes, 0);
  let left = 1, most: u32 = 0;
  for (let length: u32 = 1, place: u32 = 0; length < 16; length++) {
    const here = <i32>load<u16>(codes + (length << 1));
    left = (left << 1) - here;
    if (left < 0) return false;
    if (here != 0) most = length;
    store<u16>(PLACES + (length << 1), <u16>place);
    place += here;
  }
  if (left > 0 && (codes == LENGTH_CODES || most > 1)) return false;
  for (let symbol: u32 = 0; symbol < count; symbol++) {
    const length = <u32>load<u8>(lengths + symbol);
    if (length == 0) continue;
    const at = PLACES + (length << 1), place = <u32>load<u16>(at);
    store<u16>(at, <u16>(place + 1));
    store<u16>(codes + 32 + (place << 1), <u16>symbol);
  }
  return true;
}

/** Makes a table of codes in order; the entries of longer codes, and of none, are 0. */
function fillTable(codes: u32, table: u32, bits: u32): void {
  const size: u32 = 1 << bits;
  memory.fill(table, 0, size << 2);
  let code: u32 = 0, place: u32 = codes + 32;
  for (let length: u32 = 1; length <= bits; length++, code <<= 1) {
    for (let here = <u32>load<u16>(codes + (length << 1)); here > 0; here--, code++, place += 2) {
      const entry = entryOf(codes, <u32>load<u16>(place));
      if (entry == 0) continue;
      const filled = codes == DISTANCE_CODES ? withAllBits(entry, length) : entry | length;
      for (let i = reverse(code, length); i < size; i += 1 << length) store<u32>(table + (i << 2), filled);
    }
  }
}

/** The entry of a code that the table does not hold, found bit by bit; 0 where it is none. */
function longEntry(bits: u64, codes: u32): u32 {
  let code: u32 = 0, first: u32 = 0, place: u32 = codes + 32;
  for (let length: u32 = 1; length < 16; length++, bits >>= 1) {
    code |= <u32>bits & 1;
    const count = <u32>load<u16>(codes + (length << 1));
    if (code - first < count) {
      const entry = entryOf(codes, <u32>load<u16>(place + ((code - first) << 1)));
      return entry == 0 ? 0 : entry | length;
    }
    place += count << 1;
    first = (first + count) << 1;
    code <<= 1;
  }
  return 0;
}

/** A length or distance with all its bits in 0 to 5, so that one shift passes them, and those of the code in 8 to 13. */
// @ts-ignore: decorator — see fill
@inline
function withAllBits(entry: u32, codeBits: u32): u32 { return entry & 0xffff00c0 | codeBits + (entry >> 8 & 15) | codeBits << 8; }

/** Where the entries for `bits` bits with at most `most` literals lie. */
// @ts-ignore: decorator — see fill
@inline
function partAt(most: u32, bits: u32): u32 { return most == 3 ? JOINED : PARTS + (most << LITERAL_BITS + 3) + (8 << bits); }

/**
 * Makes the entries for `bits` bits with at most `most` literals. One is as {@link withAllBits} makes it (0 where a longer code comes first), with the number of literals in 14 and 15 and themselves from 32 on.
 * A literal stands before all entries for the bits that it leaves, with one literal less: those are there already.
 */
function joinPart(most: u32, bits: u32): void {
  const table = partAt(most, bits), end = table + (8 << bits);
  memory.fill(table, 0, 8 << bits);
  let code: u32 = 0, place: u32 = LITERAL_CODES + 32;
  for (let length: u32 = 1; length <= bits; length++, code <<= 1) {
    for (let here = <u32>load<u16>(LITERAL_CODES + (length << 1)); here > 0; here--, code++, place += 2) {
      const symbol = <u32>load<u16>(place), entry = literalEntry(symbol);
      let at = table + (reverse(code, length) << 3);
      if (symbol > 255) {
        if (entry != 0) for (const whole = <u64>withAllBits(entry, length); at < end; at += 8 << length) store<u64>(at, whole);
      } else if (most > 0) {
        const more = <u64>(1 << 14 | length << 8 | length) | <u64>symbol << 32;
        for (let rest = partAt(most - 1, bits - length); at < end; at += 8 << length, rest += 8) {
          const after = load<u64>(rest);
          store<u64>(at, (after >> 32 << 40 | after & 0xffffffff) + more);
        }
      }
    }
  }
}

/** Joins up to three literals, and the length or end after them, behind one look: DNA has few letters and short codes, and whether a literal comes next is what a processor cannot guess. */
function joinLiterals(): void {
  let lengths: u32 = 0; // of literals: the bits that they leave are few kinds, and only those are made
  for (let symbol: u32 = 0; symbol < 256; symbol++) lengths |= 1 << load<u8>(BITS_OF + symbol);
  const two = left(1 << LITERAL_BITS, lengths), one = left(two, lengths), none = left(one, lengths);
  for (let bits: u32 = 0; bits < LITERAL_BITS; bits++) if (none >> bits & 1) joinPart(0, bits);
  for (let bits: u32 = 0; bits < LITERAL_BITS; bits++) if (one >> bits & 1) joinPart(1, bits);
  for (let bits: u32 = 0; bits < LITERAL_BITS; bits++) if (two >> bits & 1) joinPart(2, bits);
  joinPart(3, LITERAL_BITS);
}

/** Of a set of numbers of bits, those that a literal of one of `lengths` leaves. */
function left(from: u32, lengths: u32): u32 {
  let all: u32 = 0;
  for (let length: u32 = 1; length <= LITERAL_BITS; length++) if (lengths >> length & 1) all |= from >> length;
  return all;
}

/** Where the data go on: `fill` makes sure of 56 bits. */
let next: u32 = 0;
let held: u64 = 0;
let count: u32 = 0;

// @ts-ignore: decorator — AssemblyScript's, which TypeScript knows for classes alone
@inline
function fill(): void {
  held |= load<u64>(next) << count;
  next += (63 - count) >> 3;
  count |= 56;
}

// @ts-ignore: decorator — see fill
@inline
function take(bits: u32): u32 {
  const value = <u32>held & ((1 << bits) - 1);
  held >>= bits;
  count -= bits;
  return value;
}

/** Reads the codes of a dynamic block (section 3.2.7). */
function readCodes(): bool {
  fill();
  const literals = take(5) + 257, distances = take(5) + 1, lengths = take(4) + 4;
  if (literals > 286 || distances > 30) return false;
  memory.fill(BITS_OF, 0, 19);
  for (let i: u32 = 0; i < lengths; i++) {
    fill();
    store<u8>(BITS_OF + <u32>load<u8>(ORDER + i), <u8>take(3));
  }
  if (!order(BITS_OF, 19, LENGTH_CODES)) return false;
  fillTable(LENGTH_CODES, LENGTHS, LENGTH_BITS);
  for (let i: u32 = 0; i < literals + distances; ) {
    fill();
    const entry = load<u32>(LENGTHS + ((<u32>held & 127) << 2));
    if (entry == 0) return false;
    take(entry & 15);
    const symbol = entry >> 16;
    if (symbol < 16) {
      store<u8>(BITS_OF + i++, <u8>symbol);
      continue;
    }
    if (symbol == 16 && i == 0) return false;
    const value: u8 = symbol == 16 ? load<u8>(BITS_OF + i - 1) : 0, times = symbol == 16 ? 3 + take(2) : symbol == 17 ? 3 + take(3) : 11 + take(7);
    if (i + times > literals + distances) return false;
    memory.fill(BITS_OF + i, value, times);
    i += times;
  }
  return load<u8>(BITS_OF + 256) != 0 && order(BITS_OF, literals, LITERAL_CODES) && order(BITS_OF + literals, distances, DISTANCE_CODES);
}

/** The codes that are fixed (section 3.2.6). */
function fixedCodes(): bool {
  memory.fill(BITS_OF, 8, 144);
  memory.fill(BITS_OF + 144, 9, 112);
  memory.fill(BITS_OF + 256, 7, 24);
  memory.fill(BITS_OF + 280, 8, 8);
  memory.fill(BITS_OF + 288, 5, 32);
  return order(BITS_OF, 288, LITERAL_CODES) && order(BITS_OF + 288, 32, DISTANCE_CODES);
}

/** What a length or distance is: the shortest, and what its extra bits add. */
// @ts-ignore: decorator — see fill
@inline
function valueOf(entry: u64, bits: u64): u32 { return <u32>(entry >> 16 & 0x7fff) + (<u32>(bits & ((<u64>1 << entry) - 1)) >> <u32>(entry >> 8)); }

/**
 * Writes a block with codes: three literals, a length and a distance a turn. Only the low 6 bits of `left` count, which saves masks; 28 of `bits` are there at each turn's begin: 15 pass the table of JOINED, so that the distance is looked up while more are loaded.
 * @returns where the text ends, or 0 for what cannot be
 */
function inflateCodes(text: u32, from: u32, end: u32): u32 {
  fill();
  let bits = held, left = <u64>count, at = next, out = from; // locals: globals are stored at each change
  while (out <= end) {
    let entry = load<u64>(JOINED + ((<u32>bits & ((1 << LITERAL_BITS) - 1)) << 3)), before = bits;
    store<u32>(out, <u32>(entry >> 32));
    out += <u32>entry >> 14 & 3;
    bits >>= entry;
    left -= entry;
    let further = load<u32>(DISTANCES + ((<u32>bits & ((1 << DISTANCE_BITS) - 1)) << 2));
    bits |= load<u64>(at) << left;
    at += <u32>(left >> 3 & 7 ^ 7);
    left |= 56;
    if ((<u32>entry & MATCH) == 0) {
      if ((<u32>entry & 0xffff) == 0) { // a long code
        const long = longEntry(bits, LITERAL_CODES);
        if (long == 0) return 0;
        if (long & LITERAL) store<u8>(out++, <u8>(long >> 16));
        before = bits;
        entry = <u64>withAllBits(long, long & 15);
        bits >>= entry;
        left -= entry;
        further = load<u32>(DISTANCES + ((<u32>bits & ((1 << DISTANCE_BITS) - 1)) << 2));
        bits |= load<u64>(at) << left;
        at += <u32>(left >> 3 & 7 ^ 7);
        left |= 56;
      }
      if (<u32>entry & END) {
        held = bits;
        count = <u32>left & 63;
        next = at;
        return out;
      }
      if ((<u32>entry & MATCH) == 0) continue;
    }
    const length = valueOf(entry, before);
    if (further == 0) {
      further = longEntry(bits, DISTANCE_CODES);
      if (further == 0) return 0;
      further = withAllBits(further, further & 15);
    }
    const distance = valueOf(<u64>further, bits);
    bits >>= <u64>further;
    left -= <u64>further;
    if (distance > out - text || out + length > end) return 0;
    const stop = out + length;
    let source = out - distance;
    if (distance >= 16) {
      do {
        v128.store(out, v128.load(source));
        out += 16;
        source += 16;
      } while (out < stop);
    } else do store<u8>(out++, load<u8>(source++)); while (out < stop);
    out = stop;
  }
  return 0;
}

/** Inflates the data from `from` to `to` to `text`, up to `end` exactly. @returns whether that is what they hold */
export function inflate(from: u32, to: u32, text: u32, end: u32): bool {
  next = from;
  held = 0;
  count = 0;
  let out = text;
  for (let last: u32 = 0; last == 0; ) {
    if (next - (count >> 3) > to) return false;
    fill();
    last = take(1);
    const kind = take(2);
    if (kind == 0) {
      const at = next - (count >> 3), length = <u32>load<u16>(at); // the rest of the byte is skipped
      if (at + 4 > to || (length ^ <u32>load<u16>(at + 2)) != 0xffff || at + 4 + length > to || out + length > end) return false;
      memory.copy(out, at + 4, length);
      out += length;
      next = at + 4 + length;
      held = 0;
      count = 0;
      continue;
    }
    if (kind == 3 || !(kind == 1 ? fixedCodes() : readCodes())) return false;
    joinLiterals();
    fillTable(DISTANCE_CODES, DISTANCES, DISTANCE_BITS);
    out = inflateCodes(text, out, end);
    if (out == 0) return false;
  }
  return out == end && next - (count >> 3) == to;
}

/** CRC-32 of the bytes from `from` to `to`, continued from `sum`, 16 at a time with a table for each (Kounavis and Berry 2005, "slicing"). */
function addBytes(from: u32, to: u32, sum: u32): u32 {
  let at = from;
  for (; at + 16 <= to; at += 16) {
    const a = load<u32>(at) ^ sum, b = load<u32>(at, 4), c = load<u32>(at, 8), d = load<u32>(at, 12);
    sum = load<u32>(CRC + 15 * 1024 + ((a & 255) << 2)) ^ load<u32>(CRC + 14 * 1024 + ((a >> 8 & 255) << 2)) ^ load<u32>(CRC + 13 * 1024 + ((a >> 16 & 255) << 2)) ^ load<u32>(CRC + 12 * 1024 + (a >> 24 << 2))
      ^ load<u32>(CRC + 11 * 1024 + ((b & 255) << 2)) ^ load<u32>(CRC + 10 * 1024 + ((b >> 8 & 255) << 2)) ^ load<u32>(CRC + 9 * 1024 + ((b >> 16 & 255) << 2)) ^ load<u32>(CRC + 8 * 1024 + (b >> 24 << 2))
      ^ load<u32>(CRC + 7 * 1024 + ((c & 255) << 2)) ^ load<u32>(CRC + 6 * 1024 + ((c >> 8 & 255) << 2)) ^ load<u32>(CRC + 5 * 1024 + ((c >> 16 & 255) << 2)) ^ load<u32>(CRC + 4 * 1024 + (c >> 24 << 2))
      ^ load<u32>(CRC + 3 * 1024 + ((d & 255) << 2)) ^ load<u32>(CRC + 2 * 1024 + ((d >> 8 & 255) << 2)) ^ load<u32>(CRC + 1024 + ((d >> 16 & 255) << 2)) ^ load<u32>(CRC + (d >> 24 << 2));
  }
  for (; at < to; at++) sum = sum >> 8 ^ load<u32>(CRC + (((sum ^ <u32>load<u8>(at)) & 255) << 2));
  return sum;
}

/**
 * A multiple of the CRC's polynomial with five terms: x^38400 + x^19840 + x^14976 + x^11392 + 1, all powers of x^128, found by trying all (the test sums up with zlib).
 * So 16 bytes may be left out if they are added (without carry) to those 145, 183, 211 and 300 times 16 bytes later: five loads for 16 bytes, where slicing takes one for each.
 */
const SPAN: u32 = 300 * 16, AFTER_145: u32 = 155 * 16, AFTER_183: u32 = 117 * 16, AFTER_211: u32 = 89 * 16;

/** Adds to the 16 bytes from `from` to `to` what was left out before them, which lies from `before` + SPAN on in the same order. */
function addEarlier(from: u32, to: u32, before: u32, out: u32): void {
  for (let at = from; at < to; at += 16, before += 16, out += 16) {
    const far = v128.xor(v128.load(before), v128.load(before, AFTER_211)), near = v128.xor(v128.load(before, AFTER_183), v128.load(before, AFTER_145));
    v128.store(out, v128.xor(v128.load(at), v128.xor(far, near)));
  }
}

/** CRC-32 (RFC 1952, section 8). Of `scratch`, 2 * SPAN bytes more than there are between `from` and `to` are written; the first SPAN are as `prepare` left them. */
export function crc32(from: u32, to: u32, scratch: u32): u32 {
  if (to - from < 2 * SPAN) return ~addBytes(from, to, 0xffffffff);
  const whole = from + (to - from & ~15), last = whole - SPAN, left = scratch + SPAN + (last - from), rest = left + SPAN;
  addEarlier(from, last, scratch, scratch + SPAN);
  memory.fill(left, 0, SPAN); // nothing of the last ones is left out
  addEarlier(last, whole, left - SPAN, rest);
  return ~addBytes(whole, to, addBytes(rest, rest + SPAN, 0));
}

/** Makes the tables of `crc32` and the begin of its scratch; once, before all else. */
export function prepare(scratch: u32): void {
  store<u32>(scratch, 0xffffffff); // what a CRC begins with: added to the first bytes alone
  for (let byte: u32 = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
    store<u32>(CRC + (byte << 2), value);
  }
  for (let i: u32 = 256; i < 4096; i++) { // the byte, and 1 to 15 zeros after it
    const before = load<u32>(CRC + ((i - 256) << 2));
    store<u32>(CRC + (i << 2), before >> 8 ^ load<u32>(CRC + ((before & 255) << 2)));
  }
}
