// What a change of bases does to what a model says of a sequence.
import { embed, type EmbedOptions } from './embed';
import { checkTokenizer, encodeExamples, type Encoder } from './examples';
import { isDecoder, type AnyModel } from './model';
import { predictLogits } from './predict';
import { score, type OffsetEncoder } from './score';

/**
 * `likelihood`: log-likelihood of the changed sequence minus that of the reference, in nats; negative is less likely. Decoders.
 * `classifier`: log-odds of a class (or the output of a regression) of the changed sequence minus that of the reference. Models with a classifier.
 * `embedding`: 1 - cosine of the two mean embeddings, 0 to 2. Any model, without training: a distance, not a direction.
 */
export type EffectMethod = 'likelihood' | 'classifier' | 'embedding';

export interface VariantEffectOptions {
  /** Default: `likelihood` for decoders, `classifier` for models that have one, else `embedding`. */
  readonly method?: EffectMethod | undefined;
  /** Which output of a classifier; default the last. */
  readonly output?: number | undefined;
  /** For `embedding`. */
  readonly embedding?: Pick<EmbedOptions, 'pooling' | 'specialTokens' | 'layers'> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly variants: number; readonly totalVariants: number }) => void) | undefined;
}

/** A change within a sequence, which is the context that the model sees. */
export interface SequenceVariant {
  readonly sequence: string;
  /** Of the first changed base, 0-based. */
  readonly position: number;
  /** What stands there; any length, also none. Case does not matter. */
  readonly ref: string;
  /** What stands there instead. */
  readonly alt: string;
}

export type EffectEncoder = Encoder & OffsetEncoder;

/**
 * The effect of each variant, in the order given. Variants of the same sequence share the reference's pass.
 * @throws RangeError for a variant whose `ref` is not what its sequence holds
 */
export async function scoreVariants(model: AnyModel, encoder: EffectEncoder, variants: readonly SequenceVariant[], options: VariantEffectOptions = {}): Promise<Float64Array> {
  checkTokenizer('scoreVariants', model.config, encoder);
  const effectsOf = measureOf(model, encoder, options);
  const bySequence = new Map<string, number[]>();
  variants.forEach(({ sequence }, i) => {
    const members = bySequence.get(sequence);
    if (members) members.push(i);
    else bySequence.set(sequence, [i]);
  });
  const effects = new Float64Array(variants.length);
  let done = 0;
  for (const [sequence, members] of bySequence) {
    options.signal?.throwIfAborted();
    const own = await effectsOf(sequence, members.map((i) => applyVariant(variants[i])));
    members.forEach((i, at) => { effects[i] = own[at]; });
    options.onProgress?.({ variants: (done += members.length), totalVariants: variants.length });
  }
  return effects;
}

function applyVariant({ sequence, position, ref, alt }: SequenceVariant): string {
  const end = position + ref.length;
  if (!Number.isInteger(position) || position < 0 || end > sequence.length) throw new RangeError(`scoreVariants: expected a variant within the ${sequence.length} bases of its sequence, got ${position} to ${end}; positions are 0-based`);
  const found = sequence.slice(position, end);
  if (found.toUpperCase() !== ref.toUpperCase()) throw new RangeError(`scoreVariants: expected ref ${JSON.stringify(ref)} at position ${position}, got ${JSON.stringify(found)}; positions are 0-based, and the sequence must be the one that the variants were called on`);
  return sequence.slice(0, position) + alt + sequence.slice(end);
}

type Measure = (reference: string, alternatives: readonly string[]) => Promise<ArrayLike<number>>;

function measureOf(model: AnyModel, encoder: EffectEncoder, { method, output, embedding, signal }: VariantEffectOptions): Measure {
  const classifier = isDecoder(model) ? undefined : model.params.classifier;
  const chosen = method ?? (isDecoder(model) ? 'likelihood' : classifier ? 'classifier' : 'embedding');
  const differences = (values: ArrayLike<number>) => Array.from(values).slice(1).map((value) => value - values[0]);
  switch (chosen) {
    case 'likelihood': {
      if (!isDecoder(model)) throw new TypeError('scoreVariants: expected a decoder for method likelihood, got an encoder; use embedding, or fine-tune a classifier');
      return async (reference, alternatives) => differences((await score(model, encoder, [reference, ...alternatives], { signal })).map(({ logLikelihood }) => logLikelihood));
    }
    case 'classifier': {
      if (isDecoder(model) || !classifier) throw new TypeError('scoreVariants: expected a model with a classifier for method classifier, got one without; fine-tune one');
      const outputs = classifier.weight.shape[0];
      const wanted = output ?? outputs - 1;
      if (!Number.isInteger(wanted) || wanted < 0 || wanted >= outputs) throw new RangeError(`scoreVariants: expected an output from 0 to ${outputs - 1}, got ${wanted}`);
      const single = outputs > 1 && (model.config.classifier?.problemType ?? 'single_label_classification') === 'single_label_classification';
      return async (reference, alternatives) => {
        const examples = [reference, ...alternatives].map((sequence) => ({ sequence, label: -1 }));
        const logits = await predictLogits(model, encodeExamples(examples, encoder).sequences, { signal });
        return differences(examples.map((_, i) => evidenceOf(logits.subarray(i * outputs, (i + 1) * outputs), wanted, single)));
      };
    }
    case 'embedding': return async (reference, alternatives) => {
      const [own, ...others] = await embed(model, encoder, [reference, ...alternatives], { ...embedding, signal });
      return others.map((other) => 1 - cosine(own, other));
    };
    default: throw new RangeError(`scoreVariants: expected method likelihood, classifier or embedding, got ${JSON.stringify(chosen)}`);
  }
}

/** log p / (1 - p) of a class after the softmax; other outputs are log-odds, or values, already. */
function evidenceOf(logits: Float32Array, wanted: number, single: boolean): number {
  if (!single) return logits[wanted];
  const others = logits.filter((_, i) => i !== wanted);
  const largest = Math.max(...others);
  return logits[wanted] - largest - Math.log(others.reduce((total, logit) => total + Math.exp(logit - largest), 0));
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

export interface Mutagenesis {
  readonly sequence: string;
  /** First position and the one after the last. */
  readonly start: number;
  readonly end: number;
  /** `[end - start, 4]`: the effect of A, C, G and T there; 0 for the base that stands there. */
  readonly effects: Float64Array;
}

/** Every other base at every position (in-silico saturation mutagenesis): `3 · (end - start)` variants. */
export async function mutagenesis(model: AnyModel, encoder: EffectEncoder, sequence: string, { start = 0, end = sequence.length, ...options }: VariantEffectOptions & { readonly start?: number; readonly end?: number } = {}): Promise<Mutagenesis> {
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= sequence.length)) throw new RangeError(`mutagenesis: expected a range within the ${sequence.length} bases, got ${start} to ${end}`);
  const variants: (SequenceVariant & { readonly at: number })[] = [];
  for (let position = start; position < end; position++) {
    const ref = sequence[position];
    [...'ACGT'].forEach((alt, column) => { if (alt !== ref.toUpperCase()) variants.push({ sequence, position, ref, alt, at: 4 * (position - start) + column }); });
  }
  const scores = await scoreVariants(model, encoder, variants, options);
  const effects = new Float64Array(4 * (end - start));
  variants.forEach(({ at }, i) => { effects[at] = scores[i]; });
  return { sequence, start, end, effects };
}
