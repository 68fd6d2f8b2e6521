import { flatten, read } from '@genomelm/kernels';
import { serializeConfig } from '../config';
import { nodeModules, writeAtomically } from './files';
import { serializeSafetensors } from './safetensors';
import type { AnyModel } from '../model';
import type { PretrainedFiles } from './checkpoint';

/** The contents of config.json and model.safetensors, under upstream's names. A tied head is left out, as upstream does. The same model always gives the same bytes. */
export async function serializePretrained({ config, params }: Pick<AnyModel, 'config' | 'params'>): Promise<PretrainedFiles> {
  const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [path, leaf] of flatten(params)) tensors[path] = { shape: leaf.shape, data: Float32Array.from(await read(leaf)) };
  return { config: serializeConfig(config), weights: serializeSafetensors(tensors) };
}

/** Writes config.json and model.safetensors into a directory, which is made if need be. Each file is replaced at once or not at all. In Node only. */
export async function savePretrained(model: Pick<AnyModel, 'config' | 'params'>, directory: string): Promise<void> {
  const { fs, path } = nodeModules('savePretrained');
  const { config, weights } = await serializePretrained(model);
  await fs.promises.mkdir(directory, { recursive: true });
  await writeAtomically(path.join(directory, 'model.safetensors'), weights);
  await writeAtomically(path.join(directory, 'config.json'), config);
}
