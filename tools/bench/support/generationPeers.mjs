// Who else decodes: llama.cpp through node-llama-cpp (the same weights as GGUF), torch (the same shape), and a Markov chain, the honest floor. Each gives seconds of steps for a batch.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../run.mjs';
import { writeGguf } from './gguf.mjs';

export const generationPeerVersions = { 'node-llama-cpp': '3.22.1', 'onnxruntime-node': '1.30.0' };

/** @param now - the clock, in seconds */
export async function createLlama(peer, config, weights, threads, now) {
  const folder = mkdtempSync(join(tmpdir(), 'genomelm-gguf-')), file = join(folder, 'model.gguf');
  writeGguf(file, config, weights);
  const { getLlama, LlamaLogLevel } = await peer('node-llama-cpp');
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error, maxThreads: threads });
  const model = await llama.loadModel({ modelPath: file });
  const sequencesOf = async (sequences, contextSize) => {
    const context = await model.createContext({ sequences, contextSize, threads, batchSize: 512 });
    return { context, all: Array.from({ length: sequences }, () => context.getSequence()) };
  };
  return {
    /** Seconds of each step after the first, in which the whole batch gets a token. */
    async steps(batch, count) {
      const { context, all } = await sequencesOf(batch, count + 8), times = [];
      await Promise.all(all.map(async (sequence, i) => {
        let drawn = 0;
        for await (const id of sequence.evaluate([1, 300 + i], { temperature: 1, yieldEogToken: true })) {
          if (i === 0 && id >= 0) times.push(now());
          if (++drawn > count) break;
        }
      }));
      await context.dispose();
      return times.slice(1).map((time, i) => time - times[i]);
    },
    async greedy(prompt, count) {
      const { context, all: [sequence] } = await sequencesOf(1, prompt.length + count + 8), ids = [];
      for await (const id of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
        ids.push(id);
        if (ids.length === count) break;
      }
      await context.dispose();
      return ids;
    },
    async end() {
      await llama.dispose();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Undefined, with a note, where no Python has torch. */
export async function createTorchDecoder(config, threads, note, processorTime) {
  for (const python of ['/usr/bin/python3', 'python3']) {
    const child = spawn(python, [join(root, 'tools/bench/support/torchGenerate.py'), JSON.stringify(config), `${threads}`, processorTime ? 'processor' : 'clock'], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) continue;
    note(JSON.parse(first.value));
    return { steps: async (batch, count) => (child.stdin.write(`${batch} ${count}\n`), JSON.parse((await lines.next()).value)), end: () => child.stdin.end() };
  }
  note('no Python with torch is here');
  return undefined;
}

/** Bases a second of a chain of order 8 that was counted on nothing in particular. */
export function markovBasesPerSecond(bases = 2e7) {
  const order = 8, states = 4 ** order, thresholds = Float64Array.from({ length: 3 * states }, (_, i) => ((i % 3) + 1) / 4);
  let [state, random, sum] = [0, 1, 0];
  const begun = performance.now();
  for (let i = 0; i < bases; i++) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const draw = random / 2 ** 32, at = 3 * state;
    const base = draw < thresholds[at] ? 0 : draw < thresholds[at + 1] ? 1 : draw < thresholds[at + 2] ? 2 : 3;
    state = ((state << 2) | base) & (states - 1);
    sum += base;
  }
  return sum > 0 ? bases / ((performance.now() - begun) / 1000) : NaN;
}
