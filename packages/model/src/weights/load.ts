import { free, tensor, type Device, type Tensor } from '@genomelm/kernels';
import { parseConfig, type ModelConfig } from '../config';
import { isDecoderConfig } from '../decoderConfig';
import { FormatError } from '../errors';
import { hashBytes, hashText } from '../hash';
import { causalModelSpecs, modelSpecs, type AnyModel, type CausalModel, type CausalParams, type Heads, type Model, type Params } from '../model';
import { flattenSpecs, mapSpecs, type SpecsOf } from '../parameters';
import { addressCheckpoint, directoryCheckpoint, filesCheckpoint, openCheckpoint, type Checkpoint, type PretrainedFiles } from './checkpoint';
import { isNode, nodeModules } from './files';
import { hubCheckpoint, isHubId, type HubOptions } from './hub';
import { toFloat32, type StoredSpec, type StoredTensor, type WeightsFile } from './storedTensor';

export interface LoadOptions extends HubOptions {
  readonly device: Device;
  /** False leaves parameters out that the model has no place for, and lists them in `unexpectedKeys`; by default they are an error. Integer buffers are always left out. */
  readonly strict?: boolean | undefined;
}

/** What a loaded model tells beside its parameters. */
export interface LoadFacts {
  /** Contents of tokenizer.json, where there is one. */
  readonly tokenizer?: string | undefined;
  /** Parameters of heads that the file lacks: those heads do not exist. A pre-trained DNABERT-2 lacks its pooler. */
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
  /** The commit on the hub. */
  readonly revision?: string | undefined;
}

/**
 * Loads an encoder or a decoder, as its config.json says, and whichever heads its file holds: masked-LM, pooler, classifier; `lm_head`, `score`. Half precision on disk becomes float32.
 * Tensors are read and handed to the device one at a time, so that the host never holds a large checkpoint.
 * @param source - a directory or an http(s) address with config.json and model.safetensors or upstream's pytorch_model.bin (or the shards of either with their index), an id on the hub, or the contents of these files
 * @param options - `architecture`: what it must be; narrows the type
 * @throws FormatError for files that are damaged, do not fit each other or hold the other architecture; it names missing, unexpected and misshapen parameters
 */
export async function loadPretrained(source: string | PretrainedFiles, options: LoadOptions & { readonly architecture: 'encoder' }): Promise<Model & LoadFacts>;
export async function loadPretrained(source: string | PretrainedFiles, options: LoadOptions & { readonly architecture: 'decoder' }): Promise<CausalModel & LoadFacts>;
export async function loadPretrained(source: string | PretrainedFiles, options: LoadOptions): Promise<AnyModel & LoadFacts>;
export async function loadPretrained(source: string | PretrainedFiles, options: LoadOptions & { readonly architecture?: 'encoder' | 'decoder' }): Promise<AnyModel & LoadFacts> {
  const opened = await openPlan(source, options);
  try {
    const { params, fingerprint } = await readParams(opened.specs, opened.weights, opened.names, options);
    const { config, tokenizer, missingKeys, unexpectedKeys, revision } = opened;
    return { config, params, fingerprint: hashText(`${JSON.stringify(config)} weights ${fingerprint}`), tokenizer, missingKeys, unexpectedKeys, revision } as AnyModel & LoadFacts;
  } finally {
    await opened.weights.close();
  }
}

export interface Inspection extends LoadFacts {
  readonly config: ModelConfig;
  /** Every tensor of the file as it is stored. */
  readonly tensors: ReadonlyMap<string, StoredSpec>;
}

/** What `loadPretrained` would load, without loading it: of weights only the headers are read, and nothing is allocated. @throws what loadPretrained throws */
export async function inspectPretrained(source: string | PretrainedFiles, options: Omit<LoadOptions, 'device'> = {}): Promise<Inspection> {
  const { config, tokenizer, missingKeys, unexpectedKeys, revision, weights } = await openPlan(source, { ...options, cache: false });
  await weights.close();
  return { config, tokenizer, missingKeys, unexpectedKeys, revision, tensors: weights.tensors };
}

/** Everything that is checked before a tensor is read. */
async function openPlan(source: string | PretrainedFiles, options: Omit<LoadOptions, 'device'> & { readonly architecture?: 'encoder' | 'decoder' }) {
  const checkpoint = await findCheckpoint(source, options);
  const { config: text, tokenizer, weights } = await openCheckpoint(checkpoint, options.onProgress);
  try {
    const config = parseConfig(text);
    const found = isDecoderConfig(config) ? 'decoder' : 'encoder';
    if (options.architecture && options.architecture !== found) throw new FormatError(`loadPretrained: expected architecture ${options.architecture}, got ${found} in config.json`, { format: 'config.json' });
    const names = await namesOf(weights, config);
    const [specs, whole]: AnySpecs[] = isDecoderConfig(config)
      ? [causalModelSpecs(config, { causalLm: names.has('lm_head.weight'), classes: classesOf(weights, names, 'score.weight') }), causalModelSpecs(config)]
      : [modelSpecs(config, headsOf(weights, names)), modelSpecs(config, { maskedLm: true, pooler: config.pooling === 'cls' })];
    const unexpectedKeys = checkKeys(weights, names, shapesOf(specs), options.strict ?? true);
    const missingKeys = [...shapesOf(whole).keys()].filter((name) => !names.has(name));
    return { config, tokenizer, weights, names, specs, unexpectedKeys, missingKeys, revision: checkpoint.revision };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

async function findCheckpoint(source: string | PretrainedFiles, options: HubOptions): Promise<Checkpoint> {
  if (typeof source !== 'string') return filesCheckpoint(source);
  if (/^https?:\/\//i.test(source)) return addressCheckpoint(source, options);
  const isDirectory = isNode() && nodeModules('loadPretrained').fs.existsSync(source);
  return !isDirectory && isHubId(source) ? hubCheckpoint(source, options) : directoryCheckpoint(source);
}

type AnySpecs = SpecsOf<Params> | SpecsOf<CausalParams>;

const shapesOf = (specs: AnySpecs): Map<string, readonly number[]> => new Map(flattenSpecs(specs as SpecsOf<Params>).map(([path, { shape }]) => [path, shape]));

/**
 * The name in the file of each parameter. A backbone saved alone lacks its prefix, a model saved inside another has one more (`module.` of DistributedDataParallel, `model.` of Composer).
 * No parameters are integer buffers, and the rotary angles that transformers stored before 4.34.
 */
async function namesOf({ tensors, read }: WeightsFile, config: ModelConfig): Promise<Map<string, string>> {
  const [prefix, words, tied, head] = isDecoderConfig(config)
    ? ['model.', 'embed_tokens.weight', config.tiedHead, 'lm_head.weight']
    : ['bert.', 'embeddings.word_embeddings.weight', config.tiedDecoder, 'cls.predictions.decoder.weight'];
  const bare = tensors.has(words);
  const wrapper = [...tensors.keys()].find((name) => name.endsWith(`.${prefix}${words}`))?.slice(0, -(prefix + words).length) ?? '';
  const unwrap = (name: string): string => (name.startsWith(wrapper) ? name.slice(wrapper.length) : name);
  const names = new Map([...tensors].filter(([name, { dtype }]) => !/^[IU]\d|BOOL/.test(dtype) && !name.endsWith('.rotary_emb.inv_freq')).map(([name]) => [bare && !/^(cls|classifier|lm_head|score)\./.test(name) ? prefix + name : unwrap(name), name]));
  const [again, source] = [names.get(head), names.get(prefix + words)];
  if (!tied || !again || !source) return names;
  // Some writers store a tied head again. That is harmless while both are the same.
  if (hashBytes((await read(again)).data) !== hashBytes((await read(source)).data)) throw new FormatError(`loadPretrained: expected ${head} to be the word embedding, got other numbers; set "tie_word_embeddings": false in config.json`, { format: 'safetensors' });
  names.delete(head);
  return names;
}

const headsOf = (weights: WeightsFile, names: ReadonlyMap<string, string>): Heads => ({
  maskedLm: [...names.keys()].some((name) => name.startsWith('cls.')),
  pooler: names.has('bert.pooler.dense.weight'),
  classes: classesOf(weights, names, 'classifier.weight') ?? 0,
});

const classesOf = ({ tensors }: WeightsFile, names: ReadonlyMap<string, string>, head: string): number | undefined => tensors.get(names.get(head) ?? head)?.shape[0];

/** Returns what there is no place for. */
function checkKeys({ tensors }: WeightsFile, names: ReadonlyMap<string, string>, expected: ReadonlyMap<string, readonly number[]>, strict: boolean): string[] {
  const list = (keys: string[]) => (keys.length ? `${keys.slice(0, 8).join(', ')}${keys.length > 8 ? ` and ${keys.length - 8} more` : ''}` : 'none');
  const missing = [...expected.keys()].filter((name) => !names.has(name));
  const unexpected = [...names].filter(([path]) => !expected.has(path)).map(([, name]) => name);
  if (missing.length || (strict && unexpected.length)) throw new FormatError(`loadPretrained: expected the parameters of config.json, got missing: ${list(missing)}; unexpected: ${list(unexpected)}${missing.length ? '' : '; strict: false leaves these out'}`, { format: 'safetensors' });
  for (const [path, shape] of expected) {
    const { shape: actual } = tensors.get(names.get(path)!)!;
    if (actual.length !== shape.length || actual.some((axis, i) => axis !== shape[i])) throw new FormatError(`loadPretrained: expected ${path} of shape [${shape.join(', ')}] as config.json says, got [${actual.join(', ')}]`, { format: 'safetensors' });
  }
  const known = new Set(names.values());
  return [...unexpected, ...[...tensors.keys()].filter((name) => !known.has(name) && !/(^|\.)(cls\.predictions\.decoder|lm_head)\.weight$/.test(name))];
}

/** One tensor after the other; what was made is freed if one fails. */
async function readParams(specs: AnySpecs, weights: WeightsFile, names: ReadonlyMap<string, string>, { device, signal, onProgress }: LoadOptions): Promise<{ params: Params | CausalParams; fingerprint: string }> {
  const made = new Map<string, Tensor>();
  const shapes = shapesOf(specs);
  let fingerprint = '';
  try {
    for (const [path, shape] of shapes) {
      signal?.throwIfAborted();
      const stored: StoredTensor = await weights.read(names.get(path)!);
      made.set(path, tensor(device, toFloat32(stored, path), shape));
      fingerprint = hashText(`${fingerprint} ${path} ${stored.dtype} ${hashBytes(stored.data)}`);
      onProgress?.({ kind: 'load', tensor: path, done: made.size, total: shapes.size });
    }
  } catch (error) {
    free([...made.values()]);
    throw error;
  }
  return { params: mapSpecs<Params>(specs as SpecsOf<Params>, (_spec, path) => made.get(path)!), fingerprint };
}
