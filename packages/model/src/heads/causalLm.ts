import { add, cast, embedding, linearCrossEntropy, scale, scope, tensor, type Tensor } from '@genomelm/kernels';
import { linear, linearSpecs, type Linear } from '../layers/linear';
import { forward, type DecoderModel } from '../models/decoder';
import type { Batch } from '../batch';
import type { DecoderConfig } from '../decoderConfig';
import type { ForwardOptions } from '../models/encoder';
import type { SpecsOf } from '../parameters';

export const causalLmSpecs = ({ hiddenSize, vocabSize }: DecoderConfig): SpecsOf<Linear> => linearSpecs(vocabSize, hiddenSize, { bias: false });

/** `lm_head` in checkpoints. A tied head does not exist: it is `model.embed_tokens`. */
export interface CausalLmModel extends DecoderModel {
  readonly params: DecoderModel['params'] & { readonly lm_head?: Linear };
}

/** The map from hidden states to scores. @param operation - named in the error where there is none */
export function causalLmHead({ config, params: { model, lm_head } }: CausalLmModel, operation: string): Linear {
  if (config.tiedHead) return { weight: model.embed_tokens.weight };
  if (!lm_head) throw new TypeError(`${operation}: expected a model with lm_head, got one without; create it with createModel(config, { device, seed }) or load weights that have lm_head.weight`);
  return lm_head;
}

/**
 * Scores of every token of the vocabulary to come next: `[rows, vocabSize]`.
 * @param rows - tokens of the packed batch, in any order; by default all of them
 */
export function causalLmLogits(model: CausalLmModel, batch: Batch, rows?: ArrayLike<number>, options: ForwardOptions = {}): Tensor {
  const head = causalLmHead(model, 'causalLmLogits');
  const wanted = rows && checkRows(rows, batch.inputIds.length);
  return scope<Tensor>(() => {
    const { hiddenStates } = forward(model, batch, options);
    return linear(wanted ? embedding(hiddenStates, tensor(hiddenStates.device, wanted)) : hiddenStates, head);
  });
}

/** What follows each token within its sequence, `[totalTokens]`; -100, no label, at the end of each. */
export function nextTokens({ inputIds, cuSeqlens }: Batch): Int32Array {
  const labels = Int32Array.from(inputIds, (_, i) => inputIds[i + 1] ?? -100);
  cuSeqlens.forEach((end) => { if (end) labels[end - 1] = -100; });
  return labels;
}

export interface CausalLmLossOptions extends ForwardOptions {
  /** `[totalTokens]`: what follows each token; below 0 is no label. By default `nextTokens(batch)`. */
  readonly labels?: ArrayLike<number> | undefined;
  /** `[totalTokens]`, at least 0: how much each label counts. Each distinct value makes a pass of the head over its own rows, so there should be few; 0 costs nothing. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** Mean cross-entropy in nats over the labels, weighted, `[]`. The logits of all tokens never exist at once. */
export function causalLmLoss(model: CausalLmModel, batch: Batch, { labels = nextTokens(batch), weights, ...options }: CausalLmLossOptions = {}): Tensor {
  const head = causalLmHead(model, 'causalLmLoss');
  const groups = groupByWeight(labels, weights, batch.inputIds.length);
  const total = groups.reduce((sum, [weight, rows]) => sum + weight * rows.length, 0);
  return scope<Tensor>(() => {
    const { hiddenStates } = forward(model, batch, options);
    const { device } = hiddenStates;
    const weight32 = wide(head);
    return groups.map(([weight, rows]) => {
      const own = embedding(hiddenStates, tensor(device, Uint32Array.from(rows)));
      return scale(linearCrossEntropy(own, weight32, tensor(device, Int32Array.from(rows, (row) => labels[row]))).sum, weight / total);
    }).reduce((a, b) => add(a, b));
  });
}

/** A frozen head of 16 bits (see `storeWeights`) as float32 for this pass: the loss over blocks of rows takes no other, and `vocabSize · hiddenSize` numbers are few beside the layers. */
const wide = ({ weight }: Linear): Tensor => (weight.dtype === 'float32' ? weight : cast(weight, 'float32'));

/** The labelled rows of each weight. */
function groupByWeight(labels: ArrayLike<number>, weights: ArrayLike<number> | undefined, tokens: number): [weight: number, rows: number[]][] {
  for (const [name, values] of [['labels', labels], ['weights', weights]] as const) {
    if (values && values.length !== tokens) throw new RangeError(`causalLmLoss: expected ${tokens} ${name}, one for each token, got ${values.length}`);
  }
  const groups = new Map<number, number[]>();
  for (let row = 0; row < tokens; row++) {
    const weight = weights?.[row] ?? 1;
    if (!(weight >= 0 && weight < Infinity)) throw new RangeError(`causalLmLoss: expected weights of at least 0, got ${weight} at token ${row}`);
    if (labels[row] < 0 || weight === 0) continue;
    const group = groups.get(weight);
    if (group) group.push(row);
    else groups.set(weight, [row]);
  }
  if (!groups.size) throw new RangeError('causalLmLoss: expected at least one label, got none; a sequence needs two tokens');
  return [...groups];
}

function checkRows(rows: ArrayLike<number>, totalTokens: number): Uint32Array {
  const wrong = Array.from(rows).find((row) => !(Number.isInteger(row) && row >= 0 && row < totalTokens));
  if (wrong !== undefined) throw new RangeError(`causalLmLogits: expected rows below totalTokens ${totalTokens}, got ${wrong}`);
  return Uint32Array.from(rows);
}
