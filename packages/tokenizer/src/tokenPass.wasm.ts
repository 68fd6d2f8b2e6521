// One block of a pass over tokens (see tokenPass.ts), which counts pairs or joins them in place. All addresses are bytes.
// Words 0 and 1 of the memory go from block to block: the token before in the output, and the last one that it was made of.
// Counts are whole numbers in 4 bytes, or doubles in 8 for corpora of 2^32 letters and more.
// @ts-nocheck
const SEPARATOR: u32 = 0xffff, PREVIOUS = 0, PREVIOUS_RAW = 4, TAKEN = 8;

export function count32(counts: u32, stride: u32, tokenOf: u32, tokens: u32, length: u32): void { count<u32>(counts, stride, tokenOf, tokens, length); }
export function count64(counts: u32, stride: u32, tokenOf: u32, tokens: u32, length: u32): void { count<f64>(counts, stride, tokenOf, tokens, length); }
export function join32(counts: u32, stride: u32, rows: u32, products: u32, tokens: u32, length: u32, isLast: bool): u32 { return join<u32>(counts, stride, rows, products, tokens, length, isLast); }
export function join64(counts: u32, stride: u32, rows: u32, products: u32, tokens: u32, length: u32, isLast: bool): u32 { return join<f64>(counts, stride, rows, products, tokens, length, isLast); }

// @ts-ignore: decorator
@inline
function add<C>(counts: u32, stride: u32, left: u32, right: u32, change: C): void {
  const at = counts + (left * stride + right) * sizeof<C>();
  store<C>(at, load<C>(at) + change);
}

/** Turns units into tokens and counts neighbours. */
function count<C>(counts: u32, stride: u32, tokenOf: u32, tokens: u32, length: u32): void {
  let previous = load<u32>(PREVIOUS);
  const end = tokens + (length << 1);
  for (let at = tokens; at < end; at += 2) {
    const token = <u32>load<u16>(tokenOf + (<u32>load<u16>(at) << 1));
    store<u16>(at, token);
    if (previous != SEPARATOR && token != SEPARATOR) add<C>(counts, stride, previous, token, <C>1);
    previous = token;
  }
  store<u32>(PREVIOUS, previous);
}

/**
 * Joins from left to right. `rows`: by token, 0 or the row of `products` that says, by the next token, the product + 1 or 0.
 * @returns the tokens written; word 2 of the memory says how many were read: the last one waits for the next block where it may be joined
 */
function join<C>(counts: u32, stride: u32, rows: u32, products: u32, tokens: u32, length: u32, isLast: bool): u32 {
  let previous = load<u32>(PREVIOUS), previousRaw = load<u32>(PREVIOUS_RAW), at = tokens, to = tokens;
  const end = tokens + (length << 1);
  while (at < end) {
    if (previous == previousRaw) { // up to the next token that may be joined: four at a time, then one by one
      const from = at;
      while (at + 8 <= end) {
        const four = load<u64>(at);
        if (load<u8>(rows + <u32>(four & 0xffff)) | load<u8>(rows + <u32>(four >> 16 & 0xffff)) | load<u8>(rows + <u32>(four >> 32 & 0xffff)) | load<u8>(rows + <u32>(four >> 48))) break;
        store<u64>(to, four);
        at += 8;
        to += 8;
      }
      while (at < end) {
        const one = <u32>load<u16>(at);
        if (load<u8>(rows + one)) break;
        store<u16>(to, one);
        at += 2;
        to += 2;
      }
      if (at > from) previous = previousRaw = load<u16>(to - 2);
      if (at == end) break;
    }
    const token = <u32>load<u16>(at), row = <u32>load<u8>(rows + token);
    at += 2;
    if (row != 0) {
      if (at == end && !isLast) {
        at -= 2;
        break;
      }
      const next = at < end ? <u32>load<u16>(at) : SEPARATOR;
      const product = next == SEPARATOR ? 0 : <u32>load<u16>(products + (((row - 1) * stride + next) << 1));
      if (product != 0) {
        add<C>(counts, stride, token, next, -<C>1);
        if (previous != SEPARATOR) {
          add<C>(counts, stride, previousRaw, token, -<C>1);
          add<C>(counts, stride, previous, product - 1, <C>1);
        }
        store<u16>(to, product - 1);
        previous = product - 1;
        previousRaw = next;
        at += 2;
        to += 2;
        continue;
      }
    }
    if (previous != previousRaw && token != SEPARATOR) { // behind a product
      add<C>(counts, stride, previousRaw, token, -<C>1);
      add<C>(counts, stride, previous, token, <C>1);
    }
    store<u16>(to, token);
    previous = previousRaw = token;
    to += 2;
  }
  store<u32>(PREVIOUS, previous);
  store<u32>(PREVIOUS_RAW, previousRaw);
  store<u32>(TAKEN, (at - tokens) >> 1);
  return (to - tokens) >> 1;
}
