import { createCharacterTokenizer, createKmerTokenizer, type Tokenizer } from '@genomelm/tokenizer';
import { UsageError, type Command } from '../command';
import { readSequences } from '../sequenceFiles';
import { openTokenizer, warnOfUnknown } from './tokenize';

export const inspectTokenizer: Command = {
  name: 'inspect-tokenizer',
  summary: 'Tokenizers as compressors of your own sequence: bases per token, tokens in use, bits per base by the entropy of the tokens.',
  usage: '[--tokenizer T] FILES…',
  options: {
    tokenizer: { type: 'string', short: 't', value: 'T', help: 'a tokenizer.json, kmer:6 or character; k-mers side by side and characters are shown beside it' },
    upper: { type: 'boolean', help: 'read lower case (soft-masked) bases as upper case' },
  },
  async run({ values, positionals, progress, print, json, signal }) {
    if (positionals.length === 0) throw new UsageError('inspect-tokenizer: expected one file or more, got none');
    const named = values['tokenizer'] as string | undefined;
    const tokenizers: [string, Tokenizer][] = [...(named === undefined ? [] : [[named, openTokenizer(named)] as [string, Tokenizer]]), ['3-mers side by side', createKmerTokenizer({ k: 3, stride: 3 })], ['6-mers side by side', createKmerTokenizer({ k: 6, stride: 6 })], ['characters', createCharacterTokenizer()]];
    const counts = tokenizers.map(([, { vocabSize }]) => new Float64Array(vocabSize)), unknownBases = tokenizers.map(() => 0);
    let bases = 0;
    for (const path of positionals) {
      for await (const { sequence } of readSequences(path)) {
        signal.throwIfAborted();
        bases += sequence.length;
        tokenizers.forEach(([, tokenizer], i) => {
          const { inputIds, unknownCount } = tokenizer.encodeBatch([sequence], { addSpecialTokens: false, case: values['upper'] ? 'upper' : 'preserve' });
          for (const id of inputIds) counts[i][id]++;
          unknownBases[i] += unknownCount;
        });
        progress.update({ stage: 'encode', done: bases, unit: 'bases' });
      }
    }
    progress.finish();
    if (bases === 0) throw new UsageError(`inspect-tokenizer: expected sequences, got none in ${positionals.join(', ')}; name files that hold some`);
    warnOfUnknown(named === undefined ? unknownBases[tokenizers.length - 1] : unknownBases[0], bases);
    const rows = tokenizers.map(([name, { vocabSize, specialIds }], i) => ({ tokenizer: name, ...describe(counts[i], bases), vocabSize, unknownTokens: specialIds.unk === undefined ? 0 : counts[i][specialIds.unk] }));
    if (json) print(`${JSON.stringify({ bases, rows })}\n`);
    else for (const row of rows) print(`${row.tokenizer}: ${row.tokens} tokens, ${row.basesPerToken.toFixed(3)} bases per token, ${row.bitsPerBase.toFixed(4)} bits per base, ${row.tokensInUse} of ${row.vocabSize} tokens in use, ${row.unknownTokens} unknown\n`);
  },
};

/** Bits per base: tokens coded alone, each by its frequency here; two bits are what plain bases take. */
function describe(counts: Float64Array, bases: number) {
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  const bits = counts.reduce((sum, count) => sum - (count > 0 ? count * Math.log2(count / tokens) : 0), 0);
  return { tokens, basesPerToken: tokens === 0 ? 0 : bases / tokens, bitsPerBase: bases === 0 ? 0 : bits / bases, tokensInUse: counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0) };
}
