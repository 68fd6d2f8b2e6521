import { free } from '@genomelm/kernels';
import { generate as generateSequences, generationPresets, isDecoder, storeWeights, type CausalModel, type GeneratedSequence, type GenerateOptions } from '@genomelm/model';
import { choice, decodingDeviceOptions, integer, list, UsageError, type Command, type Context } from '../command';
import { openDevice } from '../devices';
import { withOutput } from '../output';
import { modelOptions, openPretrained } from '../pretrained';
import { readSequences } from '../sequenceFiles';

interface Prompt {
  readonly id: string;
  readonly sequence: string;
}

export const generate: Command = {
  name: 'generate',
  summary: 'Sequences that a decoder (GenomeOcean) draws, from prompts or from nothing.',
  usage: 'MODEL [FILES…] (prompts: FASTA, CSV with a column sequence, or plain lines)',
  options: {
    ...modelOptions,
    prompt: { type: 'string', short: 'p', value: 'DNA,…', help: 'prompts, in the place of files' },
    num: { type: 'string', short: 'n', value: 'N', help: 'samples of each prompt (default 1)' },
    preset: { type: 'string', value: 'NAME', help: `${Object.keys(generationPresets).join(', ')}: upstream's; other options win over it` },
    'max-new-tokens': { type: 'string', value: 'N', help: 'default 1024' },
    'min-new-tokens': { type: 'string', value: 'N', help: 'no end before so many (default 0)' },
    'max-new-bases': { type: 'string', value: 'N', help: 'cut to so many bases' },
    'min-new-bases': { type: 'string', value: 'N', help: 'no end before so many bases' },
    temperature: { type: 'string', value: 'X', help: '0 takes the most probable token (default 1)' },
    'top-k': { type: 'string', value: 'N', help: 'only the so many most probable tokens (default: all)' },
    'top-p': { type: 'string', value: 'X', help: 'only the most probable tokens that reach this probability (default 1)' },
    'repetition-penalty': { type: 'string', value: 'X', help: 'default 1' },
    'presence-penalty': { type: 'string', value: 'X', help: 'default 0' },
    'frequency-penalty': { type: 'string', value: 'X', help: 'default 0' },
    'blocked-ids': { type: 'string', value: 'ID,…', help: 'tokens never drawn (default: special tokens and N)' },
    'stop-ids': { type: 'string', value: 'ID,…', help: "tokens that end a sequence (default: the model's)" },
    'reverse-complement': { type: 'boolean', help: 'turn the prompts to the other strand' },
    'with-prompt': { type: 'boolean', help: 'write the prompt in front of each sequence' },
    'context-tokens': { type: 'string', value: 'N', help: "tokens held before the prompt moves on (default: the model's)" },
    unique: { type: 'boolean', help: 'leave out sequences that came before' },
    'max-repeats': { type: 'string', value: 'PERCENT', help: 'leave out sequences with more bases than this in tandem repeats' },
    'log-probs': { type: 'boolean', help: 'with jsonl: log-probabilities of the tokens' },
    format: { type: 'string', value: 'FORM', help: 'fasta (default) or jsonl (with --json)' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
    batch: { type: 'string', value: 'N', help: 'sequences computed at once (default 32); changes no sequence' },
    weights: { type: 'string', value: 'TYPE', help: 'float32 (default), float16, bfloat16 or int8' },
    cache: { type: 'string', value: 'TYPE', help: 'float32 (default), float16 or bfloat16' },
    seed: { type: 'string', value: 'N', help: 'default 0' },
    ...decodingDeviceOptions,
  },
  async run(context) {
    const { values, json, progress, signal } = context;
    const [name] = context.positionals;
    if (name === undefined) throw new UsageError('generate: expected a model, got nothing; see genomelm generate --help');
    const format = choice(context, 'format', ['fasta', 'jsonl'], json ? 'jsonl' : 'fasta');
    const weights = choice(context, 'weights', ['float32', 'float16', 'bfloat16', 'int8'], 'float32');
    const options = optionsOf(context);
    const prompts = await promptsOf(context);
    const device = await openDevice(context);
    try {
      const { model: opened, tokenizer } = await openPretrained(context, name, device);
      if (!isDecoder(opened)) throw new UsageError(`generate: expected a decoder, got an encoder in ${name}`);
      const model: CausalModel = weights === 'float32' ? opened : storeWeights(opened, weights);
      let [duplicates, repetitive] = [0, 0];
      const onProgress: GenerateOptions['onProgress'] = ({ done, total, newTokens, newBases, ...left }) => {
        ({ duplicates, repetitive } = left);
        progress.update({ stage: 'generate', done, total, unit: 'sequences', tokens: newTokens, bases: newBases, ...left });
      };
      await withOutput(values['out'] as string | undefined, async (output) => {
        for await (const one of generateSequences(model, tokenizer, prompts.map(({ sequence }) => sequence), { ...options, signal, onProgress })) {
          const { id, sequence: prompt } = prompts[one.prompt];
          const whole = `${values['with-prompt'] ? prompt : ''}${one.sequence}`;
          await output.write(format === 'fasta' ? fasta(`${id}_${one.sample}`, whole) : jsonLine(id, whole, one, values['log-probs'] === true));
        }
      });
      free(model.params);
      progress.finish();
      if (duplicates || repetitive) process.stderr.write(`genomelm: left out ${duplicates} duplicates and ${repetitive} sequences of tandem repeats\n`);
    } finally {
      progress.finish();
      await device.destroy();
    }
  },
};

async function promptsOf({ values, positionals }: Context): Promise<Prompt[]> {
  const given = typeof values['prompt'] === 'string' ? values['prompt'].split(',').map((sequence, i) => ({ id: `prompt${i + 1}`, sequence })) : [];
  for (const file of positionals.slice(1)) {
    for await (const { id, sequence } of readSequences(file)) given.push({ id, sequence: typeof sequence === 'string' ? sequence : Buffer.from(sequence).toString('latin1') });
  }
  if (positionals.length > 1 && !given.length) throw new UsageError(`generate: expected a prompt in ${positionals.slice(1).join(', ')}, got none`);
  return given.length ? given : [{ id: 'sample', sequence: '' }];
}

/** A number, as far as it was given; the library says what it may be. */
function real({ values }: Context, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new UsageError(`--${name}: expected a number, got ${String(text)}`);
  return value;
}

const idsOf = (context: Context, name: string): number[] | undefined => list(context, name)?.map((text) => {
  const id = Number(text);
  if (!Number.isInteger(id) || id < 0) throw new UsageError(`--${name}: expected token ids, got ${text}`);
  return id;
});

function optionsOf(context: Context): GenerateOptions {
  const { values } = context;
  const preset = values['preset'] === undefined ? {} : generationPresets[choice(context, 'preset', Object.keys(generationPresets) as (keyof typeof generationPresets)[], 'conservative')];
  const maxRepeats = real(context, 'max-repeats');
  const given = {
    num: integer(context, 'num', 1), seed: integer(context, 'seed', 0, { min: 0, max: 2 ** 32 - 1 }), maxSequences: integer(context, 'batch', 32),
    maxNewTokens: real(context, 'max-new-tokens'), minNewTokens: real(context, 'min-new-tokens'), maxNewBases: real(context, 'max-new-bases'), minNewBases: real(context, 'min-new-bases'),
    temperature: real(context, 'temperature'), topK: real(context, 'top-k'), topP: real(context, 'top-p'),
    repetitionPenalty: real(context, 'repetition-penalty'), presencePenalty: real(context, 'presence-penalty'), frequencyPenalty: real(context, 'frequency-penalty'),
    contextTokens: real(context, 'context-tokens'), blockedIds: idsOf(context, 'blocked-ids'), stopIds: idsOf(context, 'stop-ids'),
    cacheType: choice(context, 'cache', ['float32', 'float16', 'bfloat16'], 'float32'), maxTandemRepeats: maxRepeats === undefined ? undefined : maxRepeats / 100,
    reverseComplement: values['reverse-complement'] === true, unique: values['unique'] === true,
  };
  return { ...preset, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** Lines of 80, as upstream writes them. */
const fasta = (id: string, sequence: string): string => `>${id}\n${sequence.replace(/.{1,80}/g, '$&\n') || '\n'}`;

const jsonLine = (prompt: string, sequence: string, { index, sample, ids, logProbs, finishReason }: GeneratedSequence, withLogProbs: boolean): string =>
  `${JSON.stringify({ index, prompt, sample, sequence, ids: [...ids], finishReason, ...(withLogProbs ? { logProbs: Array.from(logProbs, (value) => Number(value.toPrecision(7))) } : {}) })}\n`;
