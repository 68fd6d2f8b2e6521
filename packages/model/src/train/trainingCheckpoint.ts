// What an interrupted training run goes on from: a folder for each saved step, which appears under its name when all of it is written. Its config.json and
// model.safetensors are those of a pre-trained model, so that any step can be loaded; optimizer.safetensors and training.json stand beside them.
import { flatten, read, type Data, type Optimizer, type Tree } from '@genomelm/kernels';
import { FormatError } from '../errors';
import { serializeConfig } from '../config';
import { nodeModules } from '../weights/files';
import { parseSafetensors, serializeSafetensors } from '../weights/safetensors';
import { toFloat32 } from '../weights/storedTensor';
import type { AnyModel } from '../model';
import type { CurvePoint } from './monitor';

export interface TrainingState {
  readonly step: number;
  readonly tokens: number;
  readonly curve: readonly CurvePoint[];
  /** Identifies data and settings: a run goes on only as what it was. */
  readonly run: string;
}

/** How many folders are kept: if the last was cut off by a full disk, the one before it is there. */
const kept = 2;

const folderOf = (step: number): string => `step-${String(step).padStart(8, '0')}`;

type Snapshot = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

async function snapshotOf(entries: Iterable<readonly [string, Parameters<typeof read>[0]]>): Promise<Snapshot> {
  const all = [...entries];
  const values = await Promise.all(all.map(([, leaf]) => read(leaf)));
  return new Map(all.map(([path, { shape }], i) => [path, { shape, data: Float32Array.from(values[i]) }]));
}

/**
 * Copies parameters and moments to host memory, and begins to write them. The copy is complete when this function's promise is: training may go on while `written` is pending.
 * @throws (from `written`) what the file system says
 */
export async function beginCheckpoint(directory: string, model: Pick<AnyModel, 'config' | 'params'>, optimizer: Optimizer, state: TrainingState): Promise<{ readonly written: Promise<void> }> {
  const [weights, moments] = [await snapshotOf(flatten(model.params as Tree)), await snapshotOf(optimizer.state().moments)];
  const config = serializeConfig(model.config);
  return { written: write(directory, state.step, {
    'config.json': config,
    'model.safetensors': serializeSafetensors(Object.fromEntries(weights)),
    'optimizer.safetensors': serializeSafetensors(Object.fromEntries(moments)),
    'training.json': `${JSON.stringify({ ...state, updates: optimizer.state().step })}\n`,
  }) };
}

/** Files into a folder beside, each flushed; then the folder gets its name. */
async function write(directory: string, step: number, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const { fs: { promises: fs }, path } = nodeModules('pretrain');
  const beside = path.join(directory, `${folderOf(step)}.${process.pid}.tmp`);
  const place = path.join(directory, folderOf(step));
  await fs.rm(beside, { recursive: true, force: true });
  await fs.mkdir(beside, { recursive: true });
  try {
    for (const [name, contents] of Object.entries(files)) await fs.writeFile(path.join(beside, name), contents, { flush: true });
    await fs.rm(place, { recursive: true, force: true });
    await fs.rename(beside, place);
  } catch (error) {
    await fs.rm(beside, { recursive: true, force: true });
    throw error;
  }
  const steps = await savedSteps(directory);
  for (const old of steps.slice(0, -kept)) await fs.rm(path.join(directory, folderOf(old)), { recursive: true, force: true });
  for (const name of await fs.readdir(directory)) if (name.endsWith('.tmp')) await fs.rm(path.join(directory, name), { recursive: true, force: true });
}

/** Steps that are there in full, ascending. */
async function savedSteps(directory: string): Promise<number[]> {
  const { fs } = nodeModules('pretrain');
  const names = await fs.promises.readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.flatMap((name) => (/^step-\d{8}$/.test(name) ? [Number(name.slice(5))] : [])).sort((a, b) => a - b);
}

/**
 * Puts the last saved step back into parameters and optimizer, to the bit on devices that compute in float32.
 * @returns undefined where nothing is saved
 * @throws FormatError for a checkpoint of another run or another model
 */
export async function resumeCheckpoint(directory: string, model: Pick<AnyModel, 'params'>, optimizer: Optimizer, run: string): Promise<TrainingState | undefined> {
  const { fs: { promises: fs }, path } = nodeModules('pretrain');
  const last = (await savedSteps(directory)).at(-1);
  if (last === undefined) return undefined;
  const folder = path.join(directory, folderOf(last));
  const state = JSON.parse(await fs.readFile(path.join(folder, 'training.json'), 'utf8')) as TrainingState & { readonly updates: number };
  if (state.run !== run) throw new FormatError(`pretrain: expected a checkpoint of this run in ${folder}, got one of other data or settings, or of another version; give what it was begun with, or another directory`, { format: 'training.json' });
  const load = async (name: string) => new Map([...parseSafetensors(await fs.readFile(path.join(folder, name)))].map(([key, stored]): [string, Data] => [key, toFloat32(stored, key)]));
  const [weights, moments] = [await load('model.safetensors'), await load('optimizer.safetensors')];
  const leaves = flatten(model.params as Tree);
  const missing = leaves.find(([name]) => !weights.has(name));
  if (missing) throw new FormatError(`pretrain: expected ${missing[0]} in ${folder}/model.safetensors, got none; it is the checkpoint of another model`, { format: 'safetensors' });
  optimizer.restore({ step: state.updates, moments });
  for (const [name, leaf] of leaves) leaf.device.write(leaf, weights.get(name)!);
  return { step: state.step, tokens: state.tokens, curve: state.curve, run };
}
