import { flatten, read, toBfloat16, toFloat16, type Tensor } from '@genomelm/kernels';
import { serializeConfig } from '../config';
import type { AnyModel, CausalParams, Params } from '../model';
import { nodeModules, writeAtomically } from './files';
import { layOut } from './safetensors';
import type { PretrainedFiles } from './checkpoint';

export interface SaveOptions {
  /** Of the numbers on disk, default float32. The other two round to the nearest, ties to even, and take half the space; float16 refuses what lies beyond ±65,504. transformers reads all three. */
  readonly dtype?: 'float32' | 'float16' | 'bfloat16' | undefined;
}

type Saved = Pick<AnyModel, 'config' | 'params'> & { readonly tokenizer?: string | undefined };

const headOf = ({ cls, classifier, score }: Partial<Params & CausalParams>) => (classifier ?? score ? 'classifier' : cls ? 'maskedLm' : 'none');

/** `torch_dtype` is what transformers loads the weights as. */
const configOf = (model: Saved, { dtype = 'float32' }: SaveOptions): string => serializeConfig(model.config, headOf(model.params)).replace('"torch_dtype": "float32"', `"torch_dtype": "${dtype}"`);

const storedNames = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const;

function narrow(values: Float32Array, dtype: 'float32' | 'float16' | 'bfloat16', name: string): Float32Array | Uint16Array {
  if (dtype === 'float32') return values;
  if (dtype === 'bfloat16') return toBfloat16(values);
  const bits = toFloat16(values);
  const lost = bits.findIndex((half, i) => (half & 0x7c00) === 0x7c00 && Number.isFinite(values[i]));
  if (lost >= 0) throw new RangeError(`savePretrained: expected weights within ±65504 for float16, got ${values[lost]} in ${name}; save as bfloat16`);
  return bits;
}

/** The bytes of model.safetensors piece by piece: the header, then one tensor after the other as it comes from the device. */
async function* serializeWeights({ params }: Saved, { dtype = 'float32' }: SaveOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const leaves = new Map(flatten(params));
  const adapter = [...leaves.keys()].find((name) => /\.lora_[AB]\./.test(name));
  if (adapter) throw new TypeError(`savePretrained: expected weights without adapters, got ${adapter}; merge them with mergeLora, or save them with saveLora`);
  const { header, names } = layOut(new Map([...leaves].filter(([name]) => !isScales(name)).map(([name, { shape }]) => [name, shape])), storedNames[dtype]);
  yield header;
  for (const name of names) yield new Uint8Array(narrow(await numbersOf(leaves, name), dtype, name).buffer);
}

/** Of rows in 8 bits (see `storeWeights`). */
const isScales = (name: string): boolean => name.endsWith('.scales');

/** A parameter's numbers. Those of 8 bits are multiplied by the scales of their rows: files have upstream's names alone, and what is loaded from them computes the same. */
async function numbersOf(leaves: ReadonlyMap<string, Tensor>, name: string): Promise<Float32Array> {
  const leaf = leaves.get(name)!;
  const numbers = Float32Array.from(await read(leaf));
  const scales = leaves.get(name.replace(/\.weight$/, '.scales'));
  if (!scales || leaf.dtype !== 'int8') return numbers;
  const [, width] = leaf.shape;
  (await read(scales)).forEach((scale: number, row: number) => { for (let i = row * width; i < (row + 1) * width; i++) numbers[i] *= scale; });
  return numbers;
}

/** The contents of config.json, model.safetensors and tokenizer.json, under upstream's names. A tied head is left out, as upstream does. The same model always gives the same bytes. */
export async function serializePretrained(model: Saved, options: SaveOptions = {}): Promise<PretrainedFiles> {
  const pieces: Uint8Array[] = [];
  for await (const piece of serializeWeights(model, options)) pieces.push(piece);
  const weights = new Uint8Array(pieces.reduce((total, { length }) => total + length, 0));
  pieces.reduce((at, piece) => (weights.set(piece, at), at + piece.length), 0);
  return { config: configOf(model, options), weights, ...(model.tokenizer === undefined ? {} : { tokenizer: model.tokenizer }) };
}

/**
 * Writes config.json, model.safetensors and, if the model has one, tokenizer.json into a directory, which is made if need be. In Node only.
 * Each file is replaced at once or not at all; one tensor is in memory at a time.
 */
export async function savePretrained(model: Saved, directory: string, options: SaveOptions = {}): Promise<void> {
  const { fs, path } = nodeModules('savePretrained');
  await fs.promises.mkdir(directory, { recursive: true });
  await writeAtomically(path.join(directory, 'model.safetensors'), serializeWeights(model, options));
  if (model.tokenizer !== undefined) await writeAtomically(path.join(directory, 'tokenizer.json'), model.tokenizer);
  await writeAtomically(path.join(directory, 'config.json'), configOf(model, options));
}
