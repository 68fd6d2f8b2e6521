import { scope, tensor, type Device } from '@genomelm/kernels';
import { parseConfig, type EncoderConfig } from '../config';
import { FormatError } from '../errors';
import { hashBytes, hashText } from '../hash';
import { modelSpecs, type Heads, type Model, type Params } from '../model';
import { flattenSpecs, mapSpecs } from '../parameters';
import { nodeModules } from './files';
import { parseSafetensors, toFloat32, type StoredTensor } from './safetensors';

/** The contents of config.json and model.safetensors. */
export interface PretrainedFiles {
  readonly config: string;
  readonly weights: Uint8Array;
}

/**
 * Loads an encoder and whichever heads its file holds: masked-LM, pooler, classifier. Half precision on disk becomes float32.
 * @param source - a directory with config.json and model.safetensors (in Node), or the contents of these files
 * @throws FormatError for files that are damaged or do not fit each other; it names missing, unexpected and misshapen parameters
 */
export async function loadPretrained(source: string | PretrainedFiles, { device }: { readonly device: Device }): Promise<Model> {
  const files = typeof source === 'string' ? await readDirectory(source) : source;
  const config = parseConfig(files.config);
  const stored = parseSafetensors(files.weights);
  dropTiedDecoder(stored, config);
  const specs = modelSpecs(config, headsOf(stored));
  checkKeys(stored, new Map(flattenSpecs<Params>(specs).map(([path, { shape }]) => [path, shape])));
  const params = scope<unknown>(() => mapSpecs<Params>(specs, ({ shape }, path) => tensor(device, toFloat32(stored.get(path)!, path), shape))) as Params;
  return { config, params, fingerprint: hashText(`${JSON.stringify(config)} weights ${hashBytes(files.weights)}`) };
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

const tiedWeight = 'cls.predictions.decoder.weight';

/** Some writers store a tied decoder again. That is harmless while both are the same. */
function dropTiedDecoder(stored: Map<string, StoredTensor>, { tiedDecoder }: EncoderConfig): void {
  const again = stored.get(tiedWeight);
  const words = stored.get('bert.embeddings.word_embeddings.weight');
  if (!tiedDecoder || !again || !words) return;
  if (hashBytes(again.data) !== hashBytes(words.data)) throw new FormatError(`loadPretrained: expected ${tiedWeight} to be the word embedding, got other numbers; set "tie_word_embeddings": false in config.json`, { format: 'safetensors' });
  stored.delete(tiedWeight);
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
