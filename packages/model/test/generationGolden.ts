// Greedy generation against upstream's, and against the model without a cache.
import { free, read, type Device } from '@genomelm/kernels';
import { causalLmLogits, createGenerationEngine, packBatch, type CausalModel } from '../src';
import { loadDecoder } from './decoderGolden';
import { onDevice } from './encoderGolden';
import { readJson } from './golden';

interface Case {
  readonly prompt: readonly number[];
  readonly new_tokens: readonly number[];
  readonly top2_margin_full_recompute: readonly number[];
}

/** The most probable tokens, one full forward pass for each. */
export async function greedyWithoutCache(model: CausalModel, prompt: Uint32Array, tokens: number, blocked: readonly number[]): Promise<{ id: number; logProb: number }[]> {
  const ids = [...prompt];
  const drawn: { id: number; logProb: number }[] = [];
  for (let i = 0; i < tokens; i++) {
    const logits = causalLmLogits(model, packBatch([Uint32Array.from(ids)]), [ids.length - 1]);
    const scores = Array.from(await read(logits));
    free(logits);
    const allowed = scores.map((score, id) => (blocked.includes(id) ? -Infinity : score));
    const id = allowed.indexOf(Math.max(...allowed));
    drawn.push({ id, logProb: scores[id] - Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) });
    ids.push(id);
  }
  return drawn;
}

/** Upstream's greedy tokens: id 8 blocked, id 2 stops. A step whose two best tokens are within 1e-3 may go either way, and ends the comparison. */
export function describeGreedy(name: string, folder: string, shards: readonly string[], devices: Readonly<Record<string, () => Promise<Device>>>): void {
  const cases = readJson<Case[]>(folder, 'generation.json');
  test.each(Object.entries(devices))(`${name}: greedy tokens equal upstream's on %s`, (_kind, create) => onDevice(create, loadDecoder(folder, shards), async (model) => {
    const engine = createGenerationEngine(model, { cacheTokens: 1024 });
    const streams = cases.map(({ prompt, new_tokens: { length } }) => engine.submit({ promptIds: prompt, temperature: 0, blockedIds: [8], stopIds: [2], maxNewTokens: length }));
    for (const [i, { prompt, new_tokens: expected, top2_margin_full_recompute: margins }] of cases.entries()) {
      const close = margins.findIndex((margin) => margin < 1e-3);
      const sure = close < 0 ? expected.length : close;
      const events = [];
      for await (const event of streams[i]) events.push(event);
      expect(events.slice(0, sure).map(({ id }) => id)).toEqual(expected.slice(0, sure));
      expect(events.at(-1)!.finishReason).toBe(events.at(-1)!.id === 2 ? 'stop' : 'length');
      const uncached = await greedyWithoutCache(model, Uint32Array.from(prompt), sure, [8]);
      events.slice(0, sure).forEach(({ logProb }, k) => expect(Math.abs(logProb - uncached[k].logProb)).toBeLessThan(5e-5));
    }
    await engine.close();
  }));
}
