import { flatten, read } from '@genomelm/kernels';
import { serializeConfig } from '../config';
import { isDecoder, type AnyModel, type Params } from '../model';
import { nodeModules, writeAtomically } from './files';
import { layOut } from './safetensors';
import type { PretrainedFiles } from './checkpoint';

type Saved = Pick<AnyModel, 'config' | 'params'> & { readonly tokenizer?: string | undefined };

const headOf = ({ cls, classifier }: Partial<Params>) => (classifier ? 'classifier' : cls ? 'maskedLm' : 'none');

const configOf = (model: Saved): string => serializeConfig(model.config, isDecoder(model) ? 'none' : headOf(model.params as Params));

/** The bytes of model.safetensors piece by piece: the header, then one tensor after the other as it comes from the device. */
async function* serializeWeights({ params }: Saved): AsyncGenerator<Uint8Array, void, undefined> {
  const leaves = new Map(flatten(params));
  const { header, names } = layOut(new Map([...leaves].map(([name, { shape }]) => [name, shape])));
  yield header;
  for (const name of names) yield new Uint8Array(Float32Array.from(await read(leaves.get(name)!)).buffer);
}

/** The contents of config.json, model.safetensors and tokenizer.json, under upstream's names. A tied head is left out, as upstream does. The same model always gives the same bytes. */
export async function serializePretrained(model: Saved): Promise<PretrainedFiles> {
  const pieces: Uint8Array[] = [];
  for await (const piece of serializeWeights(model)) pieces.push(piece);
  const weights = new Uint8Array(pieces.reduce((total, { length }) => total + length, 0));
  pieces.reduce((at, piece) => (weights.set(piece, at), at + piece.length), 0);
  return { config: configOf(model), weights, ...(model.tokenizer === undefined ? {} : { tokenizer: model.tokenizer }) };
}

/**
 * Writes config.json, model.safetensors and, if the model has one, tokenizer.json into a directory, which is made if need be. In Node only.
 * Each file is replaced at once or not at all; one tensor is in memory at a time.
 */
export async function savePretrained(model: Saved, directory: string): Promise<void> {
  const { fs, path } = nodeModules('savePretrained');
  await fs.promises.mkdir(directory, { recursive: true });
  await writeAtomically(path.join(directory, 'model.safetensors'), serializeWeights(model));
  if (model.tokenizer !== undefined) await writeAtomically(path.join(directory, 'tokenizer.json'), model.tokenizer);
  await writeAtomically(path.join(directory, 'config.json'), configOf(model));
}
