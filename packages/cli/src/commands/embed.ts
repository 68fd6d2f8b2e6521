import { free } from '@genomelm/kernels';
import { embed as embedSequences, type EmbedOptions } from '@genomelm/model';
import { choice, deviceOptions, integer, list, UsageError, type Command, type Context } from '../command';
import { openDevice } from '../devices';
import { required } from '../genomeFiles';
import { prepareFile } from '../output';
import { countUnknown, modelAndFiles, modelOptions, openPretrained } from '../pretrained';
import { readSequences } from '../sequenceFiles';
import { openVectors, vectorFormats } from '../vectorFiles';

/** Sequences that are sorted by length together, and kept together when a run is interrupted. */
const chunk = 256;

export const embed: Command = {
  name: 'embed',
  summary: 'A vector for each sequence, to npy, safetensors or CSV. What is interrupted goes on where it was.',
  usage: 'MODEL FILES… -o OUT.npy (FASTA, CSV with a column sequence, or plain lines)',
  options: {
    ...modelOptions,
    out: { type: 'string', short: 'o', value: 'FILE', help: 'ends in .npy, .safetensors or .csv; names of the rows go to FILE.ids.txt' },
    pooling: { type: 'string', value: 'HOW', help: 'mean (default), max, cls, last, or pooler, where it was trained' },
    'no-special-tokens': { type: 'boolean', help: 'leave [CLS] and [SEP] out of mean, max and last' },
    layers: { type: 'string', value: 'A,B', help: "all, or numbers: 0 is the embedding's output, -1 the last layer (default)" },
    'max-length': { type: 'string', value: 'N', help: 'cut each record to so many tokens, special ones included' },
    'tokens-per-batch': { type: 'string', value: 'N', help: 'tokens of one pass (default 8192)' },
    ...deviceOptions,
  },
  async run(context) {
    const { json, print, progress, signal } = context;
    const { name, files } = modelAndFiles(context, 'embed');
    const out = required(context, 'embed', 'out', 'a file that ends in .npy, .safetensors or .csv');
    const format = vectorFormats.find((ending) => out.endsWith(`.${ending}`));
    if (!format) throw new UsageError(`--out: expected a file that ends in .npy, .safetensors or .csv, got ${out}`);
    const options = embedOptions(context);
    prepareFile(out);
    const device = await openDevice(context);
    try {
      const { model, tokenizer } = await openPretrained(context, name, device);
      const counted = countUnknown(tokenizer);
      const { hiddenSize, numLayers } = model.config;
      const layers = options.layers === 'all' ? numLayers + 1 : Array.isArray(options.layers) ? options.layers.length : 1;
      const request = { model: model.fingerprint, files, ...options };
      const vectors = openVectors(out, format, { request, shape: layers === 1 ? [hiddenSize] : [layers, hiddenSize], step: chunk });
      const rows = await embedFiles(files, vectors, (sequences) => embedSequences(model, counted.tokenizer, sequences, { ...options, signal }), (done) => progress.update({ stage: 'embed', done, unit: 'sequences' })).catch((error: unknown) => {
        vectors.abandon();
        throw error;
      });
      await vectors.finish();
      free(model.params);
      progress.finish();
      counted.tell();
      print(json ? `${JSON.stringify({ file: out, sequences: rows, resumedAt: vectors.stored, layers, hiddenSize, pooling: options.pooling })}\n` : `${rows} vectors of ${layers === 1 ? hiddenSize : `${layers} x ${hiddenSize}`} in ${out}\n`);
    } finally {
      progress.finish();
      await device.destroy();
    }
  },
};

function embedOptions(context: Context): EmbedOptions {
  const { values } = context;
  const layers = list(context, 'layers');
  const numbers = layers?.map(Number);
  if (layers && layers[0] !== 'all' && !numbers!.every(Number.isInteger)) throw new UsageError(`--layers: expected all or whole numbers, got ${String(values['layers'])}`);
  return {
    pooling: choice(context, 'pooling', ['mean', 'max', 'cls', 'last', 'pooler'] as const, 'mean'),
    specialTokens: !values['no-special-tokens'],
    ...(layers ? { layers: layers[0] === 'all' ? 'all' as const : numbers! } : {}),
    ...(values['max-length'] === undefined ? {} : { maxLength: integer(context, 'max-length', 0) }),
    tokensPerBatch: integer(context, 'tokens-per-batch', 8192),
  };
}

/** Returns how many sequences there are. */
async function embedFiles(files: readonly string[], vectors: ReturnType<typeof openVectors>, embedAll: (sequences: string[]) => Promise<Float32Array[]>, onProgress: (done: number) => void): Promise<number> {
  let [seen, ids, sequences]: [number, string[], string[]] = [0, [], []];
  const flush = async () => {
    if (sequences.length) vectors.append(ids, await embedAll(sequences));
    [ids, sequences] = [[], []];
    onProgress(seen);
  };
  for (const file of files) {
    for await (const { id, sequence } of readSequences(file)) {
      if (seen++ < vectors.stored) continue;
      ids.push(id);
      sequences.push(typeof sequence === 'string' ? sequence : Buffer.from(sequence.buffer, sequence.byteOffset, sequence.byteLength).toString('latin1'));
      if (sequences.length === chunk) await flush();
    }
  }
  await flush();
  if (seen === 0) throw new UsageError(`embed: expected sequences, got none in ${files.join(', ')}; check the files`);
  return seen;
}
