// A checkpoint in several files: an index says which tensor lies where (transformers, `_load_sharded_checkpoint`).
import { FormatError } from '../errors';
import { entryOf, type StoredSpec, type WeightsFile } from './storedTensor';

const refuse = (expected: string, got: string, cause?: unknown): never => {
  throw new FormatError(`parseShardIndex: expected ${expected}, got ${got}; the index is damaged or does not belong to these files`, { format: 'index of shards', cause });
};

/** Which file holds each tensor. A file is a name in the same folder: a path could lead out of it. @param ending - of all files, `.safetensors` or `.bin` @throws FormatError */
export function parseShardIndex(text: string, ending: string): Map<string, string> {
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch (cause) {
    return refuse('JSON', JSON.stringify(text.slice(0, 40)), cause);
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map) || !Object.keys(map).length) return refuse('a weight_map with the file of each tensor', JSON.stringify(map ?? null).slice(0, 40));
  const files = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[\w-][\w.-]*$/.test(file) || !file.endsWith(ending)) return refuse(`the name of a ${ending} file in the same folder for ${name}`, JSON.stringify(file));
    files.set(name, file);
  }
  return files;
}

/** All files of an index as one. Each must hold exactly the tensors that the index says. @param open - opens a file by its name */
export async function openShards(files: ReadonlyMap<string, string>, open: (file: string) => Promise<WeightsFile>): Promise<WeightsFile> {
  const shards = new Map<string, WeightsFile>();
  const close = async () => void (await Promise.all([...shards.values()].map((shard) => shard.close())));
  try {
    for (const file of new Set(files.values())) shards.set(file, await open(file));
    const tensors = new Map<string, StoredSpec>();
    for (const [file, shard] of shards) {
      for (const [name, spec] of shard.tensors) {
        if (files.get(name) !== file) return refuse(`${name} in ${files.get(name) ?? 'no file'}`, `it in ${file}`);
        tensors.set(name, spec);
      }
    }
    for (const [name, file] of files) if (!tensors.has(name)) return refuse(`${name} in ${file}`, 'none');
    return { tensors, close, read: (name) => shards.get(entryOf(files, name))!.read(name) };
  } catch (error) {
    await close();
    throw error;
  }
}
