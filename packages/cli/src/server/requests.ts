// What a client may ask of `genomelm serve`: the names and defaults of upstream's server (github.com/fengchenLBL/genomeocean-serve-lrc-brc, app.py), every field checked.
// But: every instance is answered, not the first alone; fields that nobody knows are refused; there are seeds, penalties and streams.
import type { SamplingOptions } from '@genomelm/model';

/** An answer that is no success, with its reason. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  constructor(readonly status: number, reason: string, readonly headers: Readonly<Record<string, string>> = {}) {
    super(reason);
  }
}

/** What one request may ask for. */
export interface RequestLimits {
  readonly maxBodyBytes: number;
  /** Sequences to generate or to embed. */
  readonly maxSequences: number;
  /** Tokens of prompts or sequences, and those that may be drawn. */
  readonly maxTokens: number;
}

export interface GenerateInstance {
  readonly prompt: string;
  readonly num: number;
  readonly options: SamplingOptions & { readonly maxNewTokens: number };
}

/** Our name of each number that shapes a sequence. */
const options = {
  temperature: 'temperature', top_k: 'topK', top_p: 'topP', min_new_tokens: 'minNewTokens', max_new_tokens: 'maxNewTokens', repetition_penalty: 'repetitionPenalty',
  presence_penalty: 'presencePenalty', frequency_penalty: 'frequencyPenalty', seed: 'seed',
} as const satisfies Record<string, keyof SamplingOptions>;

const defaults = { temperature: 1, topK: 50, topP: 0.9 };

const kinds: Readonly<Record<string, 'string' | 'number' | 'boolean'>> = {
  prompt: 'string', num: 'number', length: 'number', do_sample: 'boolean', early_stopping: 'boolean',
  ...Object.fromEntries(Object.keys(options).map((field) => [field, 'number' as const])),
};

type Fields = Readonly<Record<string, unknown>>;

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** The body's instances, at least one, and its other fields. @throws HttpError 400 */
function instancesOf(body: Uint8Array, others: readonly string[]): { instances: readonly Fields[]; rest: Fields } {
  const { instances, ...rest } = fieldsOf(parse(body), 'the body', ['instances', ...others]);
  if (!Array.isArray(instances) || !instances.length) throw new HttpError(400, `instances: expected a list of at least one object, got ${show(instances)}`);
  return { instances: instances as readonly Fields[], rest };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new HttpError(400, `the body: expected JSON in UTF-8, got ${body.length ? `none: ${(error as Error).message}` : 'nothing'}`);
  }
}

function fieldsOf(value: unknown, place: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new HttpError(400, `${place}: expected an object, got ${show(value)}`);
  for (const name of Object.keys(value)) if (!known.includes(name)) throw new HttpError(400, `${place}: expected the fields ${known.join(', ')}, got ${show(name)}`);
  return value as Fields;
}

/** Upstream's generate request. `length` and `early_stopping` are taken and change nothing, as there; `do_sample: false` is greedy. @param seed - of an instance that names none */
export function parseGenerate(body: Uint8Array, { maxSequences }: RequestLimits, seed: () => number): { instances: readonly GenerateInstance[]; stream: boolean } {
  const { instances, rest: { stream = false } } = instancesOf(body, ['stream']);
  if (typeof stream !== 'boolean') throw new HttpError(400, `stream: expected true or false, got ${show(stream)}`);
  const parsed = instances.map((instance, i) => generateInstance(instance, `instances[${i}]`, seed));
  const sequences = parsed.reduce((total, { num }) => total + num, 0);
  if (sequences > maxSequences) throw new HttpError(400, `num: expected at most ${maxSequences} sequences in a request, got ${sequences}; ask in several requests`);
  return { instances: parsed, stream };
}

function generateInstance(value: unknown, place: string, seed: () => number): GenerateInstance {
  const fields = fieldsOf(value, place, Object.keys(kinds));
  for (const [name, given] of Object.entries(fields)) if (typeof given !== kinds[name]) throw new HttpError(400, `${place}.${name}: expected a ${kinds[name]}, got ${show(given)}`);
  const { prompt, num = 10, do_sample: sample = true } = fields as { prompt?: string; num?: number; do_sample?: boolean };
  if (!prompt) throw new HttpError(400, `${place}.prompt: expected a sequence of at least one base, got ${show(prompt)}`);
  if (!Number.isInteger(num) || num < 1) throw new HttpError(400, `${place}.num: expected a whole number of at least 1, got ${num}`);
  const given: SamplingOptions = Object.fromEntries(Object.entries(options).flatMap(([field, option]) => (fields[field] === undefined ? [] : [[option, fields[field]]])));
  const { minNewTokens = Math.min(10, given.maxNewTokens ?? 10), maxNewTokens = Math.max(10, minNewTokens) } = given; // upstream's 10 and 10, as far as the other allows
  return { prompt, num, options: { ...defaults, ...given, seed: given.seed ?? seed(), minNewTokens, maxNewTokens, ...(sample ? {} : { temperature: 0 }) } };
}

/** What the library says of an option, with the name that it has in a request. */
export const inRequestNames = (message: string): string =>
  Object.entries(options).reduce((text, [field, option]) => text.replaceAll(new RegExp(`\\b${option}\\b`, 'g'), field), message);

/** Upstream's embed request: the sequences of each instance. */
export function parseEmbed(body: Uint8Array, { maxSequences }: RequestLimits): readonly (readonly string[])[] {
  const { instances } = instancesOf(body, []);
  const parsed = instances.map((instance, i) => {
    const { seqs } = fieldsOf(instance, `instances[${i}]`, ['seqs']);
    if (!Array.isArray(seqs) || !seqs.length) throw new HttpError(400, `instances[${i}].seqs: expected a list of at least one sequence, got ${show(seqs)}`);
    const wrong = seqs.findIndex((sequence) => typeof sequence !== 'string' || !sequence);
    if (wrong >= 0) throw new HttpError(400, `instances[${i}].seqs[${wrong}]: expected a sequence of at least one base, got ${show(seqs[wrong])}`);
    return seqs as readonly string[];
  });
  const sequences = parsed.reduce((total, { length }) => total + length, 0);
  if (sequences > maxSequences) throw new HttpError(400, `seqs: expected at most ${maxSequences} sequences in a request, got ${sequences}; ask in several requests`);
  return parsed;
}
