// The decoder on new tokens that look back at a cache. What a step reads from the host lies in arrays of a fixed size, so that it can be recorded: a further token of as many sequences runs the same kernels with other numbers.
import { cacheAppend, embedding, pagedAttention, pageSize, record, scope, tensor, type Recording, type Tensor } from '@genomelm/kernels';
import { causalLmHead, type CausalLmModel } from '../heads/causalLm';
import { linear } from '../layers/linear';
import { rotaryAngles } from '../layers/rotary';
import { runDecoder } from '../models/decoder';
import { advance, type CachedSequence, type KvCache } from './kvCache';

/** The next `tokens` of a sequence, for which there are pages (see `extend`). */
export interface DecodeWork {
  readonly sequence: CachedSequence;
  readonly tokens: number;
}

export interface DecodeSteps {
  /** Computes the next tokens of each sequence, and scores what follows the last of them: `[sequences, vocabSize]`, which lasts until the next step. */
  run(batch: readonly DecodeWork[]): Tensor;
  free(): void;
}

/** What one step is about, `[tokens]` or `[sequences]` each: everything but weights and cache. */
interface StepInputs {
  readonly ids: Uint32Array;
  readonly positions: Uint32Array;
  /** `[tokens, 2, headDim / 2]` */
  readonly angles: Float32Array;
  readonly slots: Int32Array;
  readonly cuSeqlens: Int32Array;
  readonly contextLengths: Int32Array;
  /** `[sequences, pages]` */
  readonly blockTable: Int32Array;
}

/** Pages of a row of the block table are a multiple of this: a recording lasts for 256 tokens at least. */
const pagesOfTable = 16;

export function createDecodeSteps(model: CausalLmModel, cache: KvCache): DecodeSteps {
  const { config, params } = model, { device } = params.model.norm.weight;
  let [shape, inputs, last]: [string, StepInputs | undefined, Recording<Tensor> | undefined] = ['', undefined, undefined];
  const release = (): void => {
    last?.free();
    last = undefined;
  };
  return {
    run(batch) {
      const pages = pagesOfTable * Math.ceil(Math.max(...batch.map(({ sequence }) => sequence.pages.length)) / pagesOfTable), wanted = `${pages}: ${batch.map(({ tokens }) => tokens).join()}`;
      if (!last || !inputs || wanted !== shape) {
        release();
        const fresh = inputs = allocateInputs(batch, pages, config.headDim);
        [shape, last] = [wanted, record(device, () => computeStep(model, cache, fresh))];
      }
      fillInputs(inputs, batch, pages, model);
      const logits = last.run();
      for (const { sequence, tokens } of batch) advance(cache, sequence, tokens, config);
      return logits;
    },
    free: release,
  };
}

function allocateInputs(batch: readonly DecodeWork[], pages: number, headDim: number): StepInputs {
  const cuSeqlens = new Int32Array(batch.length + 1);
  batch.forEach(({ tokens }, s) => { cuSeqlens[s + 1] = cuSeqlens[s] + tokens; });
  const rows = cuSeqlens[batch.length];
  return {
    ids: new Uint32Array(rows), positions: new Uint32Array(rows), angles: new Float32Array(rows * headDim), slots: new Int32Array(rows),
    cuSeqlens, contextLengths: new Int32Array(batch.length), blockTable: new Int32Array(batch.length * pages),
  };
}

function fillInputs({ ids, positions, angles, slots, cuSeqlens, contextLengths, blockTable }: StepInputs, batch: readonly DecodeWork[], perSequence: number, { config }: CausalLmModel): void {
  batch.forEach(({ sequence: { ids: own, length, pages, firstPage }, tokens }, s) => {
    for (let i = 0, row = cuSeqlens[s]; i < tokens; i++, row++) {
      const position = length + i;
      [ids[row], positions[row]] = [own[position], position];
      slots[row] = pages[Math.floor(position / pageSize) - firstPage] * pageSize + (position % pageSize);
    }
    contextLengths[s] = length + tokens - firstPage * pageSize; // keys count from the first page held: scores depend on distances alone, and the angles are in the keys already
    blockTable.set(pages, s * perSequence);
  });
  rotaryAngles(positions, config, angles);
}

function computeStep(model: CausalLmModel, cache: KvCache, { ids, angles, slots, cuSeqlens, contextLengths, blockTable }: StepInputs): Tensor {
  const { config } = model, head = causalLmHead(model, 'generate');
  const options = { cuSeqlens, contextLengths, blockTable, windowLeft: config.slidingWindow === undefined ? -1 : config.slidingWindow - 1 };
  const ofInference = { ...model, config: { ...config, padTokenId: undefined } }; // a padding token has no gradient, and is looked up otherwise for it
  return scope<Tensor>(() => {
    const { hiddenStates } = runDecoder(ofInference, ids, angles, (layer, query, key, value) => {
      const { key: keyCache, value: valueCache } = cache.layers[layer];
      cacheAppend(keyCache, key, slots);
      cacheAppend(valueCache, value, slots);
      return pagedAttention({ query, keyCache, valueCache }, options);
    });
    if (ids.length === contextLengths.length) return linear(hiddenStates, head);
    const ends = Uint32Array.from(cuSeqlens.subarray(1), (end) => end - 1);
    return linear(embedding(hiddenStates, tensor(hiddenStates.device, ends)), head);
  });
}
