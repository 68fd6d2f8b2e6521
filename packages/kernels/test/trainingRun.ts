// Ten steps of a small encoder on a device: what the tests of training compare.
import { free, leaves, type Device } from '../src';
import { createTrainer, randomBatch, type Config, type Keep } from './encoder';

export const config: Config = { vocabSize: 41, hiddenSize: 24, numHeads: 3, intermediateSize: 20, numLayers: 2, classes: 3 };
export const batches = Array.from({ length: 10 }, (_, i) => randomBatch(1 + (i % 5), config)); // five, each twice

export interface Run {
  readonly losses: readonly number[];
  readonly parameters: readonly number[];
  /** Bytes above the start, after each step. */
  readonly left: readonly number[];
  readonly reserved: readonly number[];
  readonly reads: number;
}

export async function train(device: Device, keep: Keep): Promise<Run> {
  let reads = 0;
  const { read } = device;
  Object.assign(device, { read: (t: Parameters<typeof read>[0]) => (reads++, read.call(device, t)) });
  const { params, step } = createTrainer(device, config, keep);
  const base = device.memory.live;
  const [losses, left, reserved]: number[][] = [[], [], []];
  for (const [i, batch] of batches.entries()) {
    const loss = step(batch, i + 1);
    losses.push((await device.read(loss))[0]);
    free(loss);
    left.push(device.memory.live - base);
    reserved.push(device.memory.reserved);
  }
  const stepReads = reads;
  const parameters = (await Promise.all(leaves(params).map((t) => device.read(t)))).flatMap((data) => [...data]);
  return { losses, parameters, left, reserved, reads: stepReads };
}
