import { serializeTokenizerJson, trainBpe } from '@genomelm/tokenizer';
import { integer, UsageError, type Command } from '../command';
import { writeFileAtomic } from '../output';
import { readSequences } from '../sequenceFiles';

export const trainTokenizer: Command = {
  name: 'train-tokenizer',
  summary: 'Train a BPE tokenizer on FASTA, CSV or plain lines: exact, in memory; writes a Hugging Face tokenizer.json.',
  usage: '[--vocab-size 4096] -o tokenizer.json FILES…',
  options: {
    'vocab-size': { type: 'string', value: 'N', help: 'tokens in all, special ones included (default 4096)' },
    'min-frequency': { type: 'string', value: 'N', help: 'smallest count of a pair that is merged (default 2)' },
    'max-token-length': { type: 'string', value: 'N', help: 'longest token in bases (default: no limit)' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the tokenizer.json to write' },
    'other-letters': { type: 'boolean', help: 'learn tokens with letters other than A, C, G, T too (default: they end the text)' },
    upper: { type: 'boolean', help: 'read lower case (soft-masked) bases as upper case' },
  },
  async run(context) {
    const { values, positionals, progress, print, json, signal } = context;
    if (typeof values['out'] !== 'string') throw new UsageError('train-tokenizer: expected -o with a file to write, got none');
    if (positionals.length === 0) throw new UsageError('train-tokenizer: expected one file or more, got none');
    const vocabSize = integer(context, 'vocab-size', 4096, { min: 9 });
    const maxTokenLength = values['max-token-length'] === undefined ? undefined : integer(context, 'max-token-length', 0, { min: 2 });
    const began = performance.now();
    let bases = 0;
    async function* corpus() {
      for (const path of positionals) {
        for await (const { sequence } of readSequences(path)) {
          bases += sequence.length;
          yield sequence;
          progress.update({ stage: 'read', done: bases, unit: 'bases' });
        }
      }
    }
    const tokenizer = await trainBpe(corpus(), {
      vocabSize, minFrequency: integer(context, 'min-frequency', 2), initialAlphabet: 'ACGT', case: values['upper'] ? 'upper' : 'preserve', otherLetters: values['other-letters'] ? 'learn' : 'cut', signal, ...(maxTokenLength ? { maxTokenLength } : {}),
      onProgress: ({ vocabSize: done, goal, pairCount }) => progress.update({ stage: 'merge', done, total: goal, unit: 'tokens', pairCount }),
    });
    progress.finish();
    writeFileAtomic(values['out'], serializeTokenizerJson(tokenizer));
    const result = { file: values['out'], vocabSize: tokenizer.vocabSize, bases, seconds: Number(((performance.now() - began) / 1000).toFixed(2)), peakMemoryBytes: process.resourceUsage().maxRSS * 1024 };
    if (json) print(`${JSON.stringify(result)}\n`);
    else print(`${result.file}: ${result.vocabSize} tokens from ${bases} bases in ${result.seconds} s, ${Math.round(result.peakMemoryBytes / 2 ** 20)} MiB at most\n`);
    if (tokenizer.vocabSize < vocabSize) process.stderr.write(`genomelm: the corpus gave ${tokenizer.vocabSize} of ${vocabSize} tokens: no pair is frequent enough for more\n`);
  },
};
