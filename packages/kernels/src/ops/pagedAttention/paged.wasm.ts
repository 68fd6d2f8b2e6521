// AssemblyScript. Caches in pages of 16 tokens: appending rows, and attention of single queries over them. A part owns whole items, a chunk of keys for the heads that share them.
import { at, exp1, madd, share, splat } from '../../devices/wasm/math.wasm';
import { FLOAT32, narrowRow, place, widenRow } from '../../devices/wasm/storage.wasm';
import { chunkOf } from '../attention/decode.wasm';

export function cacheAppend(cache: usize, rows: usize, slots: usize, tokens: i32, width: i32, type: i32, part: i32, parts: i32): void {
  for (let row = share(tokens, part, parts), last = share(tokens, part + 1, parts); row < last; row++) {
    narrowRow(at(rows, row * width), slotAt(cache, load<i32>(at(slots, row)), width, type), width, type);
  }
}

@inline function slotAt(cache: usize, slot: i32, width: i32, type: i32): usize {
  return cache + <usize>slot * <usize>place(0, width, type);
}

/** Adds the partial result of later keys to one of earlier keys: largest score, sum, weighted values. */
function join(to: usize, from: usize, headDim: i32): void {
  const top = max(load<f32>(to), load<f32>(from)), a = exp1(load<f32>(to) - top), b = exp1(load<f32>(from) - top);
  store<f32>(to, top);
  store<f32>(to, a * load<f32>(to, 4) + b * load<f32>(from, 4), 4);
  let i = 2;
  for (; i + 4 <= headDim + 2; i += 4) v128.store(at(to, i), madd(splat(b), v128.load(at(from, i)), f32x4.mul(splat(a), v128.load(at(to, i)))));
  for (; i < headDim + 2; i++) store<f32>(at(to, i), a * load<f32>(at(to, i)) + b * load<f32>(at(from, i)));
}

/** Brings rows of some heads into the second cache, in the order in which they lie: head by head, 16 short rows of 3 KiB apart each time, memory waits (1.5 times as fast with 32 sequences of 600 keys). */
function touch(from: usize, rowBytes: usize, rows: i32, width: i32, scratch: usize): void {
  let any: i32 = 0;
  for (let row = 0; row < rows; row++, from += rowBytes) for (let line = from, end = from + (<usize>width << 2); line < end; line += 64) any |= load<i32>(line);
  store<i32>(scratch, any); // else the compiler leaves the loads out
}

/**
 * `chunks [count, 5]`: query, first key, number of keys, the position of the query among the keys, and where its pages begin in `blockTable`. partial [count · heads, 2 + headDim] as in attentionDecode.
 * Keys and values of 16 bits are brought together as f32, once for all heads that share them; those of f32 are read where they lie, a page at a time for all heads of the part.
 * scratch [parts, scratchSize bytes] holds scores, keys and values.
 */
export function pagedAttention(query: usize, keyCache: usize, valueCache: usize, chunks: usize, blockTable: usize, slopes: usize, partial: usize, scratch: usize,
  count: i32, heads: i32, group: i32, headDim: i32, type: i32, scale: f32, biased: i32, scratchSize: i32, chunkSize: i32, part: i32, parts: i32): void {
  const kvHeads = heads / group, scores = scratch + <usize>part * <usize>scratchSize, keys = at(scores, chunkSize + 16), values = at(keys, chunkSize * headDim);
  for (let item = share(count * kvHeads, part, parts), last = share(count * kvHeads, part + 1, parts); item < last; ) {
    const chunk = at(chunks, 5 * (item / kvHeads)), kvHead = item % kvHeads;
    const row = load<i32>(chunk), first = load<i32>(chunk, 4), size = load<i32>(chunk, 8), position = load<i32>(chunk, 12), pages = at(blockTable, load<i32>(chunk, 16));
    if (type == FLOAT32) {
      const owned = min(kvHeads - kvHead, last - item), rowBytes = <usize>(kvHeads * headDim) << 2;
      for (let i = 0, n = 0; i < size; i += n) {
        const key = first + i, slot = (load<i32>(at(pages, key >> 4)) << 4) | (key & 15), page = at(0, (slot * kvHeads + kvHead) * headDim);
        n = min(16 - (key & 15), size - i);
        touch(keyCache + page, rowBytes, n, owned * headDim, keys);
        touch(valueCache + page, rowBytes, n, owned * headDim, keys);
        for (let head = kvHead * group; head < (kvHead + owned) * group; head++) {
          const own = partial + ((<usize>((item / kvHeads) * heads + head) * <usize>(2 + headDim)) << 2), from = page + ((<usize>((head / group - kvHead) * headDim)) << 2);
          chunkOf(at(query, (row * heads + head) * headDim), keyCache + from, valueCache + from, rowBytes, n, headDim, scale, biased ? load<f32>(at(slopes, head)) : 0, key - position, scores, i == 0 ? own : keys);
          if (i > 0) join(own, keys, headDim);
        }
      }
      item += owned;
      continue;
    }
    for (let i = 0; i < size; i++) {
      const key = first + i, slot = (load<i32>(at(pages, key >> 4)) << 4) | (key & 15);
      widenRow(place(slotAt(keyCache, slot, kvHeads * headDim, type), kvHead * headDim, type), at(keys, i * headDim), headDim, type);
      widenRow(place(slotAt(valueCache, slot, kvHeads * headDim, type), kvHead * headDim, type), at(values, i * headDim), headDim, type);
    }
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      chunkOf(at(query, (row * heads + head) * headDim), keys, values, <usize>headDim << 2, size, headDim, scale, biased ? load<f32>(at(slopes, head)) : 0, first - position, scores,
        partial + ((<usize>((item / kvHeads) * heads + head) * <usize>(2 + headDim)) << 2));
    }
    item++;
  }
}
