// Keys and values of tokens that were computed, in pages, and which pages a sequence holds.
import { allocate, free, pageSize, type Tensor } from '@genomelm/kernels';
import { createPagePool, type PageName, type PagePool } from './pagePool';
import type { CausalLmModel } from '../heads/causalLm';
import type { DecoderConfig } from '../decoderConfig';

export type CacheType = 'float32' | 'float16' | 'bfloat16';

/** The cache of all sequences: of each layer `key` and `value [pages · 16, numKvHeads, headDim]`. */
export interface KvCache {
  readonly pool: PagePool;
  readonly pages: number;
  readonly dtype: CacheType;
  readonly layers: readonly { readonly key: Tensor; readonly value: Tensor }[];
  free(): void;
}

/** Bytes that one token takes in all layers. */
export const cacheBytesPerToken = ({ numLayers, numKvHeads, headDim }: DecoderConfig, dtype: CacheType): number => 2 * numLayers * numKvHeads * headDim * (dtype === 'float32' ? 4 : 2);

/** Tokens of a cache of 1.5 GiB, or less where the device's buffers end: what is taken where nothing else is said. */
export function cacheBudget({ config, params }: CausalLmModel, dtype: CacheType): number {
  const { maxBufferBytes, maxBindingBytes } = params.model.norm.weight.device.limits;
  const perTable = cacheBytesPerToken(config, dtype) / (2 * config.numLayers);
  return Math.floor(Math.min(1.5 * 2 ** 30 / (2 * config.numLayers), maxBufferBytes, maxBindingBytes) / perTable);
}

/** @param options - `tokens`: room, rounded up to whole pages */
export function createKvCache({ config, params }: CausalLmModel, { tokens, dtype }: { readonly tokens: number; readonly dtype: CacheType }): KvCache {
  const pages = Math.ceil(tokens / pageSize);
  const { device } = params.model.norm.weight;
  const table = () => allocate(device, { dtype, shape: [pages * pageSize, config.numKvHeads, config.headDim] });
  const layers = Array.from({ length: config.numLayers }, () => ({ key: table(), value: table() }));
  return { pool: createPagePool(pages), pages, dtype, layers, free: () => free(layers) };
}

/** One sequence in the cache. */
export interface CachedSequence {
  /** All tokens so far; the first `length` of them are in the cache. */
  readonly ids: number[];
  length: number;
  /** Pages of the cached tokens and of those being computed, from page `firstPage` of the sequence on; those before are out of sight and were given up. */
  readonly pages: number[];
  firstPage: number;
  /** Name of what the full pages of the prompt hold, as far as they are shared. */
  name: PageName;
}

export const newSequence = (ids: ArrayLike<number>): CachedSequence => ({ ids: Array.from(ids), length: 0, pages: [], firstPage: 0, name: 0 });

/** Takes over full pages that others compute or have computed, up to the last token, whose scores are wanted. */
export function sharePrefix({ pool }: KvCache, sequence: CachedSequence): void {
  if (sequence.length % pageSize) return;
  for (let end = sequence.length + pageSize; end < sequence.ids.length; end += pageSize) {
    const shared = pool.share(sequence.name, Uint32Array.from(sequence.ids.slice(end - pageSize, end)));
    if (!shared) return;
    sequence.pages.push(shared.page);
    sequence.name = shared.name;
    sequence.length = end;
  }
}

/** Pages that the next `tokens` need beyond those held. */
export const pagesMissing = (sequence: CachedSequence, tokens: number): number =>
  Math.max(0, Math.ceil((sequence.length + tokens) / pageSize) - sequence.firstPage - sequence.pages.length);

/** Takes pages for the next `tokens`. With `publish`, pages that these will fill are open to others at once: each layer writes all keys before it reads any. */
export function extend({ pool }: KvCache, sequence: CachedSequence, tokens: number, { publish = false } = {}): void {
  for (let missing = pagesMissing(sequence, tokens); missing > 0; missing--) sequence.pages.push(pool.take());
  if (!publish) return;
  const end = sequence.length + tokens;
  for (let page = Math.floor(sequence.length / pageSize); (page + 1) * pageSize <= end; page++) {
    sequence.name = pool.publish(sequence.pages[page - sequence.firstPage], sequence.name, Uint32Array.from(sequence.ids.slice(page * pageSize, (page + 1) * pageSize)));
  }
}

/** The next `tokens` are in the cache: pages that no token to come will see are given up. */
export function advance({ pool }: KvCache, sequence: CachedSequence, tokens: number, { slidingWindow = Infinity }: DecoderConfig): void {
  sequence.length += tokens;
  while ((sequence.firstPage + 1) * pageSize <= sequence.length + 1 - slidingWindow) {
    pool.release(sequence.pages.shift()!);
    sequence.firstPage++;
  }
}

/** Gives up all pages: the sequence begins anew, with these ids. */
export function restart({ pool }: KvCache, sequence: CachedSequence, ids: ArrayLike<number> = sequence.ids.slice()): void {
  for (const page of sequence.pages) pool.release(page);
  sequence.pages.length = 0;
  sequence.ids.splice(0, sequence.ids.length, ...Array.from(ids));
  Object.assign(sequence, { length: 0, firstPage: 0, name: 0 });
}
