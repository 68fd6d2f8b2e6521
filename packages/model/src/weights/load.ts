import { scope, tensor, type Device } from '@genomelm/kernels';
import { parseConfig, type ModelConfig } from '../config';
import { isDecoderConfig } from '../decoderConfig';
import { FormatError } from '../errors';
import { hashBytes, hashText } from '../hash';
import { causalModelSpecs, modelSpecs, type AnyModel, type CausalModel, type CausalParams, type Heads, type Model, type Params } from '../model';
import { flattenSpecs, mapSpecs, type SpecsOf } from '../parameters';
import { nodeModules } from './files';
import { parseSafetensors } from './safetensors';
import { toFloat32, type StoredTensor } from './storedTensor';

/** The contents of config.json and model.safetensors. */
export interface PretrainedFiles {
  readonly config: string;
  readonly weights: Uint8Array;
}

/**
 * Loads an encoder or a decoder, as its config.json says, and whichever heads its file holds: masked-LM, pooler, classifier; `lm_head`. Half precision on disk becomes float32.
 * @param source - a directory with config.json and model.safetensors (in Node), or the contents of these files
 * @param options - `architecture`: what it must be; narrows the type
 * @throws FormatError for files that are damaged, do not fit each other or hold the other architecture; it names missing, unexpected and misshapen parameters
 */
export async function loadPretrained(source: string | PretrainedFiles, options: { readonly device: Device; readonly architecture: 'encoder' }): Promise<Model>;
export async function loadPretrained(source: string | PretrainedFiles, options: { readonly device: Device; readonly architecture: 'decoder' }): Promise<CausalModel>;
export async function loadPretrained(source: string | PretrainedFiles, options: { readonly device: Device }): Promise<AnyModel>;
export async function loadPretrained(source: string | PretrainedFiles, { device, architecture }: { readonly device: Device; readonly architecture?: 'encoder' | 'decoder' }): Promise<AnyModel> {
  const files = typeof source === 'string' ? await readDirectory(source) : source;
  const config = parseConfig(files.config);
  const found = isDecoderConfig(config) ? 'decoder' : 'encoder';
  if (architecture && architecture !== found) throw new FormatError(`loadPretrained: expected architecture ${architecture}, got ${found} in config.json`, { format: 'config.json' });
  const stored = parseSafetensors(files.weights);
  dropTiedHead(stored, config);
  const fingerprint = hashText(`${JSON.stringify(config)} weights ${hashBytes(files.weights)}`);
  if (isDecoderConfig(config)) return { config, params: readParams<CausalParams>(causalModelSpecs(config, { causalLm: stored.has('lm_head.weight') }), stored, device), fingerprint };
  return { config, params: readParams<Params>(modelSpecs(config, headsOf(stored)), stored, device), fingerprint };
}

function readParams<P>(specs: SpecsOf<P>, stored: ReadonlyMap<string, StoredTensor>, device: Device): P {
  checkKeys(stored, new Map(flattenSpecs<P>(specs).map(([path, { shape }]) => [path, shape])));
  return scope<unknown>(() => mapSpecs<P>(specs, ({ shape }, path) => tensor(device, toFloat32(stored.get(path)!, path), shape))) as P;
}

async function readDirectory(directory: string): Promise<PretrainedFiles> {
  const { fs, path } = nodeModules('loadPretrained');
  const [config, weights] = await Promise.all([fs.promises.readFile(path.join(directory, 'config.json'), 'utf8'), fs.promises.readFile(path.join(directory, 'model.safetensors'))]);
  return { config, weights };
}

const headsOf = (stored: ReadonlyMap<string, StoredTensor>): Heads => ({
  maskedLm: [...stored.keys()].some((name) => name.startsWith('cls.')),
  pooler: stored.has('bert.pooler.dense.weight'),
  classes: stored.get('classifier.weight')?.shape[0] ?? 0,
});

/** Some writers store a tied head again. That is harmless while both are the same. */
function dropTiedHead(stored: Map<string, StoredTensor>, config: ModelConfig): void {
  const [tied, head, source] = isDecoderConfig(config)
    ? [config.tiedHead, 'lm_head.weight', 'model.embed_tokens.weight']
    : [config.tiedDecoder, 'cls.predictions.decoder.weight', 'bert.embeddings.word_embeddings.weight'];
  const [again, words] = [stored.get(head), stored.get(source)];
  if (!tied || !again || !words) return;
  if (hashBytes(again.data) !== hashBytes(words.data)) throw new FormatError(`loadPretrained: expected ${head} to be the word embedding, got other numbers; set "tie_word_embeddings": false in config.json`, { format: 'safetensors' });
  stored.delete(head);
}

function checkKeys(stored: ReadonlyMap<string, StoredTensor>, expected: ReadonlyMap<string, readonly number[]>): void {
  const list = (names: string[]) => (names.length ? `${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}` : 'none');
  const missing = [...expected.keys()].filter((name) => !stored.has(name));
  const unexpected = [...stored.keys()].filter((name) => !expected.has(name));
  if (missing.length || unexpected.length) throw new FormatError(`loadPretrained: expected the parameters of config.json, got missing: ${list(missing)}; unexpected: ${list(unexpected)}`, { format: 'safetensors' });
  for (const [name, shape] of expected) {
    const { shape: actual } = stored.get(name)!;
    if (actual.length !== shape.length || actual.some((axis, i) => axis !== shape[i])) throw new FormatError(`loadPretrained: expected ${name} of shape [${shape.join(', ')}] as config.json says, got [${actual.join(', ')}]`, { format: 'safetensors' });
  }
}
