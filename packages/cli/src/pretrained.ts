import { checkTokenizer, loadPretrained, tokenizerFingerprint, type AnyModel, type LoadEvent, type LoadFacts, type LoadOptions } from '@genomelm/model';
import { createKmerTokenizer, parseTokenizerJson, type Tokenizer } from '@genomelm/tokenizer';
import { UsageError, type Context, type OptionSpec } from './command';
import { openTokenizer } from './commands/tokenize';
import type { Device } from '@genomelm/kernels';

/** The options of every command that takes a model. */
export const modelOptions: Readonly<Record<string, OptionSpec>> = {
  tokenizer: { type: 'string', short: 't', value: 'T', help: "a tokenizer.json, kmer:6 or character (default: the model's own)" },
  revision: { type: 'string', value: 'R', help: 'branch, tag or commit on the hub (default main)' },
  upper: { type: 'boolean', help: 'taken, as by tokenize; changes nothing here: models read lower case (soft-masked) bases as upper case' },
};

export interface OpenedModel {
  readonly model: AnyModel & LoadFacts;
  readonly tokenizer: Tokenizer;
}

/** Where a model comes from: a directory, an address, or an id on the hub (`$HF_ENDPOINT`, `$HF_TOKEN`). */
export const sourceOptions = ({ values, signal, progress }: Context): Omit<LoadOptions, 'device'> => ({
  ...(typeof values['revision'] === 'string' ? { revision: values['revision'] } : {}),
  signal,
  onProgress: (event: LoadEvent) => {
    if (event.kind === 'found') announce(event);
    else progress.update({ stage: event.kind === 'download' ? `download ${event.file}` : 'load', done: event.done, total: event.total, unit: event.kind === 'download' ? 'bytes' : 'tensors' });
  },
});

/** Revision and size, before anything large is fetched. */
function announce({ source, revision, files }: Extract<LoadEvent, { kind: 'found' }>): void {
  const missing = files.filter(({ cached }) => !cached);
  if (!missing.length) return;
  const bytes = missing.reduce((total, file) => total + file.bytes, 0);
  process.stderr.write(`genomelm: ${source}${revision ? ` at ${revision}` : ''}: ${(bytes / 1e6).toFixed(1)} MB in ${missing.length} files (${missing.map(({ name }) => name).join(', ')})\n`);
}

/** The tokenizer that --tokenizer names, else the one that came with the model, else the k-mers that it was trained with. @throws RangeError where the model says that it was trained with another */
function tokenizerFor({ values }: Pick<Context, 'values'>, name: string, { config, tokenizer: text }: OpenedModel['model']): Tokenizer {
  const own = text === undefined ? undefined : parseTokenizerJson(text);
  const named = typeof values['tokenizer'] === 'string' ? openTokenizer(values['tokenizer']) : undefined;
  const tokenizer = named ?? own ?? kmersOf(config);
  if (!tokenizer) throw new UsageError(`${name}: expected a tokenizer.json beside the model, got none; give --tokenizer`);
  checkTokenizer(name, config, tokenizer);
  if (named && own && tokenizerFingerprint(named) !== tokenizerFingerprint(own)) process.stderr.write(`genomelm: --tokenizer ${String(values['tokenizer'])} cuts sequences otherwise than the tokenizer.json of ${name}; what the model says of its tokens means nothing unless it was trained with them\n`);
  return tokenizer;
}

/** K-mers have no tokenizer.json: those of a model that was trained here are found by its vocabulary, and known by its fingerprint. */
export function kmersOf({ vocabSize, tokenizerFingerprint: fingerprint }: AnyModel['config']): Tokenizer | undefined {
  const k = Math.log2(vocabSize - 5) / 2; // 5 special tokens, then 4^k
  if (fingerprint === undefined || !Number.isInteger(k) || k < 1) return undefined;
  const tokenizer = createKmerTokenizer({ k, stride: 1 });
  return tokenizerFingerprint(tokenizer) === fingerprint ? tokenizer : undefined;
}

export async function openPretrained(context: Context, name: string, device: Device): Promise<OpenedModel> {
  const model = await loadPretrained(name, { ...sourceOptions(context), device });
  context.progress.finish();
  return { model, tokenizer: readingLowerCase(tokenizerFor(context, name, model)) };
}

/**
 * A tokenizer as every command that runs a model has it: lower case (soft-masked) bases are read as upper case. Models learn from upper case alone,
 * and to tokenizers such as DNABERT-2's another letter is an unknown one, which nobody sees in a vector. `tokenize` and its like keep the case, as Hugging Face's do.
 */
export const readingLowerCase = <T extends Tokenizer>(tokenizer: T): T => ({
  ...tokenizer,
  encode: (sequence, options) => tokenizer.encode(sequence, { case: 'upper', ...options }),
  encodeWithOffsets: (sequence, options) => tokenizer.encodeWithOffsets(sequence, { case: 'upper', ...options }),
  encodeBatch: (sequences, options) => tokenizer.encodeBatch(sequences, { case: 'upper', ...options }),
});

/** The first operand is the model, the others are files. */
export function modelAndFiles({ positionals }: Pick<Context, 'positionals'>, command: string): { name: string; files: readonly string[] } {
  const [name, ...files] = positionals;
  if (name === undefined || !files.length) throw new UsageError(`${command}: expected a model and one file or more, got ${name === undefined ? 'nothing' : 'no file'}; see genomelm ${command} --help`);
  return { name, files };
}

/** The tokenizer, and how many of its tokens stood for letters that it does not know. */
export function countUnknown(tokenizer: Tokenizer): { readonly tokenizer: Tokenizer; tell(): void } {
  const { unk } = tokenizer.specialIds;
  let [all, unknown] = [0, 0];
  const count = (ids: Uint32Array) => {
    all += ids.length;
    for (const id of ids) if (id === unk) unknown++;
    return ids;
  };
  return {
    tokenizer: {
      ...tokenizer,
      encode: (sequence, options) => count(tokenizer.encode(sequence, options)),
      encodeWithOffsets: (sequence, options) => {
        const encoding = tokenizer.encodeWithOffsets(sequence, options);
        count(encoding.ids);
        return encoding;
      },
    },
    tell: () => void (unknown && process.stderr.write(`genomelm: ${unknown} of ${all} tokens are unknown to the tokenizer (N, other letters)\n`)),
  };
}
