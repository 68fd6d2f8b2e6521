/** Runs of letters through the encoders, for tests. */
import { createLetterTables } from '../src/encodeAscii';
import { createLinearEncoder, createLinearRunEncoder, type LinearEncoderOptions } from '../src/encodeLinear';
import { createLinearTables, type LinearTables } from '../src/linearTables';
import { createTokenBuffer } from '../src/tokenBuffer';
import type { RunEncoder } from '../src/mergeRules';
import { compileForTest } from './references';

export function run(encode: RunEncoder, text: string, texts: readonly string[]) {
  const out = createTokenBuffer(true);
  encode(`xx${text}yy`, 2, 2 + text.length, out);
  const offsets = [...out.offsets!.subarray(0, 2 * out.length)];
  return { tokens: [...out.ids.subarray(0, out.length)].map((id) => texts[id]), offsets };
}

export function linearTables(list: readonly (readonly [string, string])[], alphabet: string): LinearTables | undefined {
  const { texts, letters, rules } = compileForTest(alphabet, list);
  return createLinearTables(letters, createLetterTables(letters, { normalizer: null, preTokenizer: null }), rules, (id) => texts[id], texts.length);
}

export function linearEncoder(list: readonly (readonly [string, string])[], alphabet: string, options: LinearEncoderOptions = {}): RunEncoder | undefined {
  const tables = linearTables(list, alphabet);
  return tables && createLinearRunEncoder(compileForTest(alphabet, list).letters, createLinearEncoder(tables, options));
}
