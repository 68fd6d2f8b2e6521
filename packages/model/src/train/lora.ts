// Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): y = W x + b + (alpha / rank) B A x. W is frozen: its gradient is never computed, and nothing is kept for it.
// Files and their names are those of the PEFT library. But: no dropout before A, and only linear layers inside the transformer's layers are adapted.
import { add, flatten, free, isTensor, mapTree, matmul, randomUniform, read, scale, scope, tensor, zeros, type Device, type Tensor, type Tree } from '@genomelm/kernels';
import { randomStream } from '../batch';
import { FormatError } from '../errors';
import { hashText } from '../hash';
import { linearLayers } from '../parameters';
import { nodeModules, writeAtomically } from '../weights/files';
import { parseSafetensors, serializeSafetensors } from '../weights/safetensors';
import { toFloat32 } from '../weights/storedTensor';

type Table = { readonly weight: Tensor };

/** By the path of the adapted layer: `bert.encoder.layer.0.attention.self.Wqkv`. */
export type Adapters = { readonly [path: string]: { readonly lora_A: Table; readonly lora_B: Table } };

export interface Lora {
  readonly rank: number;
  readonly alpha: number;
  /** Trained in place; `free(lora.adapters)` lets go of them. */
  readonly adapters: Adapters;
}

export interface LoraOptions {
  /** Default 8. */
  readonly rank?: number;
  /** What A and B add is scaled by alpha / rank. Default 16. */
  readonly alpha?: number;
  /** Names of layers as in the checkpoint, by default all there are: `Wqkv`, `dense`, `gated_layers`, `wo`, or `q_proj`, `k_proj`, … (`q` stands for `q_proj`). */
  readonly targetModules?: readonly string[] | undefined;
  readonly seed: number;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/**
 * Adapters for a model's linear layers. A is uniform within ±1/√inputs (PEFT's start), B is 0: the model begins as it was. The same seed gives the same adapters.
 * @throws RangeError that lists the layers there are, for a name that is none of them
 */
export function applyLora(params: Tree, { rank = 8, alpha = 16, targetModules, seed }: LoraOptions): Lora {
  if (!Number.isInteger(rank) || rank < 1) throw new RangeError(`applyLora: expected a rank of 1 or more, got ${rank}`);
  if (!(alpha > 0)) throw new RangeError(`applyLora: expected alpha above 0, got ${alpha}`);
  const layers = linearLayers(params);
  const names = [...new Set([...layers.keys()].map(nameOf))];
  const wanted = targetModules?.map((target) => [target, `${target}_proj`].find((name) => names.includes(name)) ?? refuseTarget(target, names)) ?? names;
  const adapters = scope<unknown>(() => Object.fromEntries([...layers].flatMap(([path, weight]) => (wanted.includes(nameOf(path)) ? [[path, newAdapter(path, weight, rank, seed)]] : []))));
  return { rank, alpha, adapters: adapters as Adapters };
}

function refuseTarget(target: string, names: readonly string[]): never {
  throw new RangeError(`applyLora: expected targetModules among this model's layers ${names.join(', ')}, got ${JSON.stringify(target)}`);
}

function newAdapter(path: string, { device, shape: [outputs, inputs] }: Tensor, rank: number, seed: number): Adapters[string] {
  const bound = 1 / Math.sqrt(inputs);
  const stream = randomStream.weights + parseInt(hashText(`${path}.lora_A`).slice(0, 7), 16);
  return { lora_A: { weight: randomUniform(device, [rank, inputs], { low: -bound, high: bound, seed, stream }) }, lora_B: { weight: zeros(device, [outputs, rank]) } };
}

/**
 * The same parameters with the adapters in their layers, for a forward pass with or without gradient. The scaled B's are new and belong to the caller's scope; all else is shared.
 * @throws RangeError for adapters of layers that the parameters lack
 */
export function withLora<P extends Tree>(params: P, { rank, alpha, adapters }: Lora): P {
  checkLayers(params, adapters);
  const attach = (node: Tree, path: string): Tree => {
    if (isTensor(node)) return node;
    const at = (name: string | number) => (path ? `${path}.${name}` : `${name}`);
    if (Array.isArray(node)) return node.map((child: Tree, i) => attach(child, at(i)));
    const adapter = Object.hasOwn(adapters, path) ? adapters[path] : undefined;
    const children = Object.entries(node as Record<string, Tree>).map(([name, child]) => [name, attach(child, at(name))] as const);
    return Object.fromEntries([...children, ...(adapter ? [['lora_A', adapter.lora_A], ['lora_B', { weight: scale(adapter.lora_B.weight, alpha / rank) }]] as const : [])]) as Tree;
  };
  return attach(params, '') as P;
}

function checkLayers(params: Tree, adapters: Adapters): Map<string, Tensor> {
  const layers = linearLayers(params);
  for (const [path, { lora_A: { weight: a }, lora_B: { weight: b } }] of Object.entries(adapters)) {
    const shape = layers.get(path)?.shape;
    if (shape?.[0] !== b.shape[0] || shape[1] !== a.shape[1]) throw new RangeError(`withLora: expected a layer ${path} of shape [${b.shape[0]}, ${a.shape[1]}], got ${shape ? `[${shape.join(', ')}]` : 'none'}; use the model that the adapters were made for`);
  }
  return layers;
}

/** What an adapter adds to its layer's weight: `(alpha / rank) B A`. */
const update = ({ rank, alpha }: Lora, { lora_A, lora_B }: Adapters[string]): Tensor => scale(matmul(lora_B.weight, lora_A.weight), alpha / rank);

/**
 * Parameters whose adapted weights are `W + (alpha / rank) B A`; these are new, all else is shared. To unmerge is to go on with the parameters given, which are unchanged to the bit:
 * subtracting what was added would not give them back. `merged` lists what to free then.
 */
export function mergeLora<P extends Tree>(params: P, lora: Lora): { readonly params: P; readonly merged: readonly Tensor[] } {
  const layers = checkLayers(params, lora.adapters);
  const adapted = Object.entries(lora.adapters);
  const merged = scope<Tensor[]>(() => adapted.map(([path, adapter]) => scope<Tensor>(() => add(layers.get(path)!, update(lora, adapter)))));
  const byPath = new Map(adapted.map(([path], i) => [`${path}.weight`, merged[i]]));
  return { params: mapTree(params, (leaf, path) => byPath.get(path) ?? leaf), merged };
}

/** The contents of adapter_config.json and adapter_model.safetensors. */
export interface LoraFiles {
  readonly config: string;
  readonly weights: Uint8Array;
}

const prefix = 'base_model.model.';

/**
 * Adapters as PEFT reads them.
 * @param options.baseModel - directory or id of the model that they were trained on
 * @param options.head - parameters that were trained whole beside them, for example `{ classifier }`: PEFT's modules_to_save
 */
export async function serializeLora({ rank, alpha, adapters }: Lora, { baseModel, head = {} }: { readonly baseModel?: string; readonly head?: Tree } = {}): Promise<LoraFiles> {
  const saved = flatten(head);
  const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [path, leaf] of [...flatten(adapters), ...saved]) tensors[prefix + path] = { shape: leaf.shape, data: Float32Array.from(await read(leaf)) };
  const modules = [...new Set(saved.map(([path]) => path.replace(/\.(weight|bias)$/, '')))];
  const config = {
    peft_type: 'LORA', task_type: saved.length ? 'SEQ_CLS' : null, r: rank, lora_alpha: alpha, lora_dropout: 0, bias: 'none', fan_in_fan_out: false, inference_mode: true,
    target_modules: Object.keys(adapters).sort(), modules_to_save: modules.length ? modules : null, base_model_name_or_path: baseModel ?? null,
  };
  return { config: `${JSON.stringify(config, null, 2)}\n`, weights: serializeSafetensors(tensors) };
}

/** Writes adapter_config.json and adapter_model.safetensors into a directory, which is made if need be. In Node only. */
export async function saveLora(lora: Lora, directory: string, options: Parameters<typeof serializeLora>[1] = {}): Promise<void> {
  const { fs, path } = nodeModules('saveLora');
  const { config, weights } = await serializeLora(lora, options);
  await fs.promises.mkdir(directory, { recursive: true });
  await writeAtomically(path.join(directory, 'adapter_model.safetensors'), weights);
  await writeAtomically(path.join(directory, 'adapter_config.json'), config);
}

/**
 * Reads adapters as PEFT or `saveLora` wrote them, and what was trained whole beside them, by name.
 * @param source - a directory (in Node), or the contents of its files
 * @throws FormatError for files that are damaged, or for variants of LoRA that compute something else
 */
export async function loadLora(source: string | LoraFiles, { device }: { readonly device: Device }): Promise<{ lora: Lora; head: Readonly<Record<string, Tensor>> }> {
  const files = typeof source === 'string' ? await readDirectory(source) : source;
  const { rank, alpha } = parseAdapterConfig(files.config);
  const pairs: Record<string, { lora_A?: Table; lora_B?: Table }> = {};
  const head: Record<string, Tensor> = {};
  const stored = [...parseSafetensors(files.weights)];
  const tensors = scope<Tensor[]>(() => stored.map(([name, entry]) => tensor(device, toFloat32(entry, name), entry.shape)));
  for (const [i, [name]] of stored.entries()) {
    const path = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const [, layer, side] = /^(.*)\.(lora_[AB])\.weight$/.exec(path) ?? [];
    if (layer) (pairs[layer] ??= {})[side as 'lora_A' | 'lora_B'] = { weight: tensors[i] };
    else head[path] = tensors[i];
  }
  try {
    for (const [path, { lora_A, lora_B }] of Object.entries(pairs)) {
      const [a, b] = [lora_A?.weight.shape, lora_B?.weight.shape];
      if (a?.length !== 2 || b?.length !== 2 || a[0] !== rank || b[1] !== rank) throw new FormatError(`loadLora: expected ${path} with lora_A [${rank}, inputs] and lora_B [outputs, ${rank}], got ${a ? `[${a.join(', ')}]` : 'none'} and ${b ? `[${b.join(', ')}]` : 'none'}`, { format: 'adapter_model.safetensors' });
    }
  } catch (error) {
    free(tensors);
    throw error;
  }
  return { lora: { rank, alpha, adapters: pairs as Adapters }, head };
}

async function readDirectory(directory: string): Promise<LoraFiles> {
  const { fs, path } = nodeModules('loadLora');
  const [config, weights] = await Promise.all([fs.promises.readFile(path.join(directory, 'adapter_config.json'), 'utf8'), fs.promises.readFile(path.join(directory, 'adapter_model.safetensors'))]);
  return { config, weights };
}

/** Settings of PEFT under which `y = W x + b + (alpha / r) B A x` no longer holds. */
const otherFormulas = ['use_rslora', 'use_dora', 'fan_in_fan_out', 'rank_pattern', 'alpha_pattern'] as const;

function parseAdapterConfig(text: string): { rank: number; alpha: number } {
  const refuse = (expected: string, got: unknown, cause?: unknown): never => {
    throw new FormatError(`loadLora: expected ${expected}, got ${JSON.stringify(got)}`, { format: 'adapter_config.json', cause });
  };
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    return refuse('JSON', text.slice(0, 40), cause);
  }
  const { peft_type: type, r: rank, lora_alpha: alpha } = raw;
  if (type !== 'LORA') refuse('peft_type "LORA"', type);
  if (!(Number.isInteger(rank) && (rank as number) > 0)) refuse('r to be a positive integer', rank);
  if (!(typeof alpha === 'number' && alpha > 0)) refuse('lora_alpha above 0', alpha);
  for (const name of otherFormulas) {
    const value = raw[name];
    if (value && !(typeof value === 'object' && !Object.keys(value).length)) refuse(`${name} to be off`, value);
  }
  return { rank: rank as number, alpha: alpha as number };
}
