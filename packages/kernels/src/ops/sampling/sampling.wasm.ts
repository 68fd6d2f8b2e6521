// AssemblyScript. What happens to the last logits: penalties, temperature, top-k and top-p, and the draw. A part owns rows.
import { at, exp1, expBounded4, log1, share, splat, total } from '../../devices/wasm/math.wasm';

/** Entries (row, id, how often; below zero: never), each place once; factors (repetition, presence, frequency) of each row. One part. */
export function penalizeLogits(y: usize, entries: usize, factors: usize, count: i32, vocab: i32, _part: i32, _parts: i32): void {
  for (let i = 0; i < count; i++) {
    const entry = at(entries, 3 * i), row = load<i32>(entry), seen = load<i32>(entry, 8), to = at(y, row * vocab + load<i32>(entry, 4)), factor = at(factors, 3 * row);
    const x = load<f32>(to), repetition = load<f32>(factor);
    store<f32>(to, seen < 0 ? -Infinity : (x > 0 ? x / repetition : x * repetition) - load<f32>(factor, 8) * <f32>seen - (seen > 0 ? load<f32>(factor, 4) : 0));
  }
}

/** Bits of floats in an order of integers: negative ones turned around. Its own inverse. */
@inline function ordered4(bits: v128): v128 {
  return v128.xor(bits, v128.and(i32x4.shr_s(bits, 31), i32x4.splat(0x7fffffff)));
}

@inline function ordered1(bits: i32): i32 {
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

/** How many elements are at least the threshold. */
function countFrom(y: usize, vocab: i32, threshold: i32): i32 {
  let counts = i32x4.splat(0), i = 0;
  for (; i + 4 <= vocab; i += 4) counts = i32x4.sub(counts, i32x4.ge_s(ordered4(v128.load(at(y, i))), i32x4.splat(threshold)));
  let count = i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1) + i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
  for (; i < vocab; i++) if (ordered1(load<i32>(at(y, i))) >= threshold) count++;
  return count;
}

/** Σ e^(y - top) of elements that are at least the threshold. */
function massFrom(y: usize, vocab: i32, top: f32, threshold: i32): f32 {
  let sums = splat(0), i = 0;
  for (; i + 4 <= vocab; i += 4) {
    const four = v128.load(at(y, i));
    sums = f32x4.add(sums, v128.and(expBounded4(f32x4.sub(four, splat(top))), i32x4.ge_s(ordered4(four), i32x4.splat(threshold))));
  }
  let sum = total(sums);
  for (; i < vocab; i++) if (ordered1(load<i32>(at(y, i))) >= threshold) sum += exp1(load<f32>(at(y, i)) - top);
  return sum;
}

/** Where the largest element of a row lies, the first of equal ones; -1 where there is a NaN. */
function argmax(x: usize, count: i32): i32 {
  let best = 0;
  for (let i = 0; i < count; i++) {
    const value = load<f32>(at(x, i));
    if (value != value) return -1;
    if (value > load<f32>(at(x, best))) best = i;
  }
  return best;
}

/** options: temperature, top-k and top-p of each row. */
export function filterLogits(x: usize, y: usize, options: usize, rows: i32, vocab: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * vocab), to = at(y, row * vocab), own = at(options, 3 * row);
    const temperature = load<f32>(own), topK = load<f32>(own, 4), topP = load<f32>(own, 8), best = argmax(from, vocab);
    if (best < 0 || vocab == 0) {
      memory.copy(to, from, <usize>vocab << 2);
      continue;
    }
    if (temperature == 0) {
      for (let i = 0; i < vocab; i++) store<f32>(at(to, i), i == best ? 0 : -Infinity);
      continue;
    }
    for (let i = 0; i < vocab; i++) store<f32>(at(to, i), load<f32>(at(from, i)) / temperature + 0); // no zero below zero
    const largest = ordered1(load<i32>(at(to, best))), smallest = ordered1(reinterpret<i32>(-Infinity));
    // The largest threshold that leaves enough: `low` always does, `high` never.
    let low = smallest, high = largest + 1;
    if (topK > 0 && topK < <f32>vocab) {
      while (<i64>high - <i64>low > 1) {
        const middle = <i32>((<i64>low + <i64>high) >> 1);
        if (<f32>countFrom(to, vocab, middle) >= topK) low = middle;
        else high = middle;
      }
    }
    if (topP < 1) {
      const top = load<f32>(at(to, best)), enough = topP * massFrom(to, vocab, top, low);
      high = largest + 1;
      while (<i64>high - <i64>low > 1) {
        const middle = <i32>((<i64>low + <i64>high) >> 1);
        if (massFrom(to, vocab, top, middle) >= enough) low = middle;
        else high = middle;
      }
      if (low > largest) low = largest;
    }
    for (let i = 0; i < vocab; i++) if (ordered1(load<i32>(at(to, i))) < low) store<f32>(at(to, i), -Infinity);
  }
}

@inline function rotated(x: i32, by: i32): i32 {
  return (x << by) | (x >>> (32 - by));
}

/** The first word of Threefry-2x32 with 20 rounds, as in random.ts. */
function threefry(key0: i32, key1: i32, counter: i32): i32 {
  const key2 = key0 ^ key1 ^ 0x1bd11bda;
  let a = counter + key0, b = key1;
  for (let fours = 1; fours <= 5; fours++) {
    const odd = fours & 1;
    a += b; b = rotated(b, odd ? 13 : 17) ^ a;
    a += b; b = rotated(b, odd ? 15 : 29) ^ a;
    a += b; b = rotated(b, odd ? 26 : 16) ^ a;
    a += b; b = rotated(b, odd ? 6 : 24) ^ a;
    const turn = fours % 3;
    a += turn == 0 ? key0 : turn == 1 ? key1 : key2;
    b += (turn == 0 ? key1 : turn == 1 ? key2 : key0) + fours;
  }
  return a;
}

/** The first id at which the sum of e^filtered exceeds a random share of the whole, and log softmax(logits) of it. keys: seed, sample and position of each row. */
export function drawTokens(filtered: usize, logits: usize, keys: usize, ids: usize, logProbs: usize, rows: i32, vocab: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(filtered, row * vocab), x = at(logits, row * vocab), key = at(keys, 3 * row), best = argmax(from, vocab), first = argmax(x, vocab);
    let id = max(0, best);
    if (best >= 0) {
      const top = load<f32>(at(from, best));
      let mass: f64 = 0;
      for (let i = 0; i < vocab; i++) mass += exp1(load<f32>(at(from, i)) - top);
      const target = (<f64>(<u32>threefry(load<i32>(key), load<i32>(key, 4), load<i32>(key, 8)) >>> 8) + 0.5) / 16777216 * mass;
      let sum: f64 = 0;
      for (let i = 0; i < vocab; i++) {
        const weight = exp1(load<f32>(at(from, i)) - top);
        if (weight == 0) continue;
        sum += weight;
        id = i;
        if (sum > target) break;
      }
    }
    store<u32>(at(ids, row), id);
    if (best < 0 || first < 0) {
      store<f32>(at(logProbs, row), NaN);
      continue;
    }
    const top = load<f32>(at(x, first));
    store<f32>(at(logProbs, row), <f32>(<f64>load<f32>(at(x, id)) - <f64>top - log1(massFrom(x, vocab, top, i32.MIN_VALUE))));
  }
}
