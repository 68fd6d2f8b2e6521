// Fixtures made with upstream's own code, see test/golden/<case>/index.json; larger ones lie outside of the repository, in ../shared.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packBatch, parseSafetensors, serializeSafetensors, toFloat32, type Batch, type PretrainedFiles, type StoredTensor } from '../src';

export const committed = path.join(__dirname, 'golden');
const sharedRoot = path.join(__dirname, '../../../../shared/data/golden/models');

/** A folder of fixtures outside of the repository, or undefined with a visible notice. */
export function shared(name: string): string | undefined {
  const folder = path.join(sharedRoot, name);
  if (existsSync(folder)) return folder;
  process.stderr.write(`SKIPPED ${name}: no fixtures at ../shared/data/golden/models/${name}\n`);
  return undefined;
}

export type Stored = ReadonlyMap<string, StoredTensor>;

export const readTensors = (...parts: string[]): Stored => parseSafetensors(readFileSync(path.join(...parts)));
export const readJson = <T>(...parts: string[]): T => JSON.parse(readFileSync(path.join(...parts), 'utf8')) as T;

/** A tensor's elements; its int64 values are small. */
export function numbers(stored: Stored, name: string): ArrayLike<number> {
  const found = stored.get(name);
  if (!found) throw new Error(`numbers: expected ${name} in the fixture, got ${[...stored.keys()].join(', ')}`);
  return found.dtype === 'I64' ? Array.from(new BigInt64Array(found.data.slice().buffer), Number) : toFloat32(found);
}

/** Files for loadPretrained: the case's encoder with its masked-LM head, or with its classifier in the place of it. */
export function pretrainedFiles(folder: string, head: 'maskedLm' | 'classifier'): PretrainedFiles {
  const config = readFileSync(path.join(folder, 'config.json'), 'utf8');
  if (head === 'maskedLm') return { config, weights: readFileSync(path.join(folder, 'model.safetensors')) };
  const backbone = [...readTensors(folder, 'model.safetensors')].filter(([name]) => name.startsWith('bert.'));
  const tensors = [...backbone, ...readTensors(folder, 'classifier_head.safetensors')].map(([name, stored]) => [name, { shape: stored.shape, data: toFloat32(stored) }] as const);
  return { config, weights: serializeSafetensors(Object.fromEntries(tensors)) };
}

export interface Packed {
  readonly batch: Batch;
  /** Row of the padded tensor that each packed token comes from. */
  readonly rows: readonly number[];
}

/** Leaves out the padding, as attention_mask says. */
export function unpad(inputs: Stored, ids = 'input_ids'): Packed {
  const [sequences, length] = inputs.get(ids)!.shape;
  const [inputIds, mask] = [numbers(inputs, ids), numbers(inputs, 'attention_mask')];
  const types = inputs.has('token_type_ids') ? numbers(inputs, 'token_type_ids') : undefined;
  const rows = Array.from({ length: sequences }, (_, s) => Array.from({ length }, (_, i) => s * length + i).filter((row) => mask[row] === 1));
  const batch = packBatch(rows.map((own) => ({ inputIds: own.map((row) => inputIds[row]), ...(types ? { tokenTypeIds: own.map((row) => types[row]) } : {}) })));
  return { batch, rows: rows.flat() };
}

/** Rows of a matrix with `width` columns. */
export const gather = (values: ArrayLike<number>, rows: readonly number[], width: number): Float32Array =>
  Float32Array.from({ length: rows.length * width }, (_, i) => values[rows[Math.floor(i / width)] * width + (i % width)]);
