// What readers of text do with every byte, 16 at a time (see scan.ts). All addresses are bytes of the memory; 16 line feeds lie behind every text, and 16 bytes behind every output may be written.
// @ts-nocheck
/** Results beside the one returned. */
const WRITTEN = 0, LINES = 4, LINE_START = 8;
const LINE_FEED: u32 = 10, CARRIAGE_RETURN: u32 = 13, TAB: i8 = 9;

// @ts-ignore: decorator — AssemblyScript's, which TypeScript knows for classes alone
@inline
function letters(bytes: v128): v128 { return i8x16.lt_u(i8x16.sub(v128.or(bytes, i8x16.splat(32)), i8x16.splat(97)), i8x16.splat(26)); }

/** Where the letters that begin at `at` end, at most `to`. */
// @ts-ignore: decorator — AssemblyScript's, which TypeScript knows for classes alone
@inline
function endOfLetters(at: u32, to: u32): u32 {
  while (at < to) {
    const others = ~i8x16.bitmask(letters(v128.load(at))) & 0xffff;
    if (others != 0) return min(to, at + ctz(others));
    at += 16;
  }
  return to;
}

/** The place of the next `byte` from `at` on; `to` where there is none. */
// @ts-ignore: decorator — AssemblyScript's, which TypeScript knows for classes alone
@inline
function find(at: u32, to: u32, byte: u32): u32 {
  const wanted = i8x16.splat(<i8>byte);
  while (at < to) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (hits != 0) return min(to, at + ctz(hits));
    at += 16;
  }
  return to;
}

/**
 * Copies letters, `*`, `-` and `.` from line to line without the line ends, up to the first other byte.
 * @returns where it stopped; the words WRITTEN, LINES and LINE_START say how many bytes were written, line ends passed, and where the last one was (0: none)
 */
export function joinLines(from: u32, to: u32, output: u32): u32 {
  let at = from, out = output, lines: u32 = 0, lineStart: u32 = 0;
  while (at < to) {
    const bytes = v128.load(at), others = ~i8x16.bitmask(letters(bytes)) & 0xffff;
    v128.store(out, bytes);
    const count = min(to - at, others == 0 ? 16 : <u32>ctz(others));
    at += count;
    out += count;
    if (others == 0 || at == to) continue;
    const byte = <u32>load<u8>(at);
    if (byte == LINE_FEED) at++;
    else if (byte == CARRIAGE_RETURN && at + 1 < to && load<u8>(at + 1) == LINE_FEED) at += 2;
    else {
      if (byte != 42 && byte != 45 && byte != 46) break;
      store<u8>(out++, byte);
      at++;
      continue;
    }
    lines++;
    lineStart = at;
  }
  store<u32>(WRITTEN, out - output);
  store<u32>(LINES, lines);
  store<u32>(LINE_START, lineStart);
  return at;
}

/**
 * Finds FASTQ records of four lines, whose titles are ASCII and whose residues are letters, up to the first other record or the last of the text: a record counts once the next one begins.
 * Each has six words in `table`: where title, sequence and quality begin, and how long title, sequence and name (the title to its first blank) are; titles are copied to `titles` one after another.
 * @returns how many; the word WRITTEN says where the next one begins
 */
export function findReads(from: u32, to: u32, table: u32, most: u32, titles: u32, lowest: u32, highest: u32): u32 {
  const low = i8x16.splat(<i8>lowest), range = i8x16.splat(<i8>(highest - lowest));
  let at = from, count: u32 = 0, copied = titles;
  while (count < most && at < to && load<u8>(at) == 64) {
    const title = at + 1;
    let end = title, nameEnd: u32 = 0, beyond = i8x16.splat(0), feeds = 0;
    for (let place = title; ; place += 16, copied += 16) { // the title, copied on the way
      if (place >= to) return finish(from, at, count);
      const bytes = v128.load(place);
      v128.store(copied, bytes);
      feeds = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(10)));
      const blanks = i8x16.bitmask(v128.or(i8x16.eq(bytes, i8x16.splat(32)), i8x16.eq(bytes, i8x16.splat(TAB))));
      if (nameEnd == 0 && blanks != 0) nameEnd = place + ctz(blanks);
      if (feeds != 0) {
        end = place + ctz(feeds);
        copied += ctz(feeds);
        if (i8x16.bitmask(bytes) & ((1 << ctz(feeds)) - 1)) return finish(from, at, count);
        break;
      }
      beyond = v128.or(beyond, bytes);
    }
    if (end >= to || i8x16.bitmask(beyond) != 0 || load<u8>(end - 1) == CARRIAGE_RETURN) break;
    const sequence = end + 1, sequenceEnd = endOfLetters(sequence, to), length = sequenceEnd - sequence;
    if (length == 0 || sequenceEnd + 2 >= to || load<u8>(sequenceEnd) != LINE_FEED || load<u8>(sequenceEnd + 1) != 43) break;
    let quality = sequenceEnd + 2;
    if (load<u8>(quality) != LINE_FEED) { // the title again
      const again = end - title;
      if (quality + again >= to || memory.compare(quality, title, again) != 0 || load<u8>(quality + again) != LINE_FEED) break;
      quality += again;
    }
    quality++;
    const next = quality + length + 1;
    if (next >= to || load<u8>(next - 1) != LINE_FEED || load<u8>(next) != 64) break;
    let place = quality, last = next - 1, wrong = 0;
    for (; place + 16 <= last; place += 16) wrong |= i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(place), low), range));
    if (place < last) wrong |= i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(place), low), range)) & ((1 << (last - place)) - 1);
    if (wrong != 0) break;
    const row = table + count * 24;
    store<u32>(row, title);
    store<u32>(row + 4, sequence);
    store<u32>(row + 8, quality);
    store<u32>(row + 12, end - title);
    store<u32>(row + 16, length);
    store<u32>(row + 20, (nameEnd == 0 ? end : min(nameEnd, end)) - title);
    count++;
    at = next;
  }
  return finish(from, at, count);
}

// @ts-ignore: decorator — AssemblyScript's, which TypeScript knows for classes alone
@inline
function finish(from: u32, at: u32, count: u32): u32 {
  store<u32>(WRITTEN, at - from);
  return count;
}

/**
 * Finds lines and the first ten columns of each. A row of `table` has twelve words: where the columns begin (one after the end of the line for those that it lacks), where the line ends without its line end, and where the next begins.
 * All places are counted from `from`.
 * @returns how many lines; the word WRITTEN says where the next one begins
 */
export function findColumns(from: u32, to: u32, table: u32, most: u32): u32 {
  let at = from, count: u32 = 0;
  for (; count < most && at < to; count++) {
    const row = table + count * 48;
    store<u32>(row, at - from);
    let columns: u32 = 1, place = at, end = to;
    while (place < to) { // tabs and the line feed together, until all ten columns are found
      const bytes = v128.load(place);
      const feeds = <u32>i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(10)));
      let tabs = <u32>i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(TAB)));
      if (feeds != 0) tabs &= (feeds & (0 - feeds)) - 1;
      while (tabs != 0 && columns < 10) {
        store<u32>(row + (columns++ << 2), place + ctz(tabs) + 1 - from);
        tabs &= tabs - 1;
      }
      if (feeds != 0) {
        end = min(to, place + ctz(feeds));
        break;
      }
      place += 16;
      if (columns == 10) {
        end = find(place, to, LINE_FEED);
        break;
      }
    }
    const stop = end > at && load<u8>(end - 1) == CARRIAGE_RETURN ? end - 1 : end;
    for (; columns < 10; columns++) store<u32>(row + (columns << 2), stop + 1 - from);
    store<u32>(row + 40, stop - from);
    at = min(to, end + 1);
    store<u32>(row + 44, at - from);
  }
  store<u32>(WRITTEN, at - from);
  return count;
}
