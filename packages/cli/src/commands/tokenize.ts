import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createCharacterTokenizer, createKmerTokenizer, parseTokenizerJson, type EncodeOptions, type Tokenizer } from '@genomelm/tokenizer';
import { choice, integer, UsageError, type Command } from '../command';
import { defaultShardTokens, openIdShards } from '../idShards';
import { openLines } from '../output';
import { readSequences } from '../sequenceFiles';
import { readUserFile } from '../userFile';

/** `character`, `kmer:6`, or the path of a tokenizer.json. */
export function openTokenizer(name: string): Tokenizer {
  if (name === 'character') return createCharacterTokenizer();
  const kmer = /^kmer:(\d+)$/.exec(name);
  if (kmer) return createKmerTokenizer({ k: Number(kmer[1]), stride: 1 });
  if (/^kmer:?/.test(name) && !existsSync(name)) throw new UsageError(`--tokenizer: expected kmer:K with a whole number K, got ${name}`);
  return readUserFile(name, (contents) => parseTokenizerJson(contents.toString('utf8')));
}

export const tokenize: Command = {
  name: 'tokenize',
  summary: 'Token ids of FASTA, FASTQ, CSV (with a sequence column) or plain lines, one JSON line a record; or packed binary shards.',
  usage: '--tokenizer T [--output ids|tokens|offsets|bin] FILES…',
  options: {
    tokenizer: { type: 'string', short: 't', value: 'T', help: 'a tokenizer.json, kmer:6, or character' },
    output: { type: 'string', value: 'FORM', help: 'ids (default), tokens, offsets, or bin: shards of ids with an index, cuSeqlens and checksums' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout; with bin the folder, which must be asked for' },
    'shard-tokens': { type: 'string', value: 'N', help: `with bin: tokens of a shard (default ${defaultShardTokens})` },
    'max-length': { type: 'string', value: 'N', help: 'cut each record to so many tokens, special ones included' },
    upper: { type: 'boolean', help: 'read lower case (soft-masked) bases as upper case' },
    'no-special-tokens': { type: 'boolean', help: 'leave [CLS] and [SEP] out' },
  },
  async run(context) {
    const { values, positionals, progress, signal } = context;
    if (typeof values['tokenizer'] !== 'string') throw new UsageError('tokenize: expected --tokenizer with a tokenizer.json, kmer:6 or character, got none');
    if (positionals.length === 0) throw new UsageError('tokenize: expected one file or more, got none');
    const tokenizer = openTokenizer(values['tokenizer']);
    const output = choice(context, 'output', ['ids', 'tokens', 'offsets', 'bin'], 'ids');
    const out = values['out'] as string | undefined;
    if (output === 'bin' && out === undefined) throw new UsageError('tokenize: expected -o with the folder for the shards, got none');
    if (output !== 'bin' && values['shard-tokens'] !== undefined) throw new UsageError('--shard-tokens: expected --output bin beside it, got none');
    const maxLength = values['max-length'] === undefined ? undefined : integer(context, 'max-length', 0);
    const options = { addSpecialTokens: !values['no-special-tokens'], case: values['upper'] ? 'upper' as const : 'preserve' as const, ...(maxLength === undefined ? {} : { maxLength }) };
    let [records, bases, tokens, unknownBases] = [0, 0, 0, 0];
    const shards = output === 'bin' ? openIdShards(out!, { vocabSize: tokenizer.vocabSize, shardTokens: integer(context, 'shard-tokens', defaultShardTokens) }) : undefined;
    const lines = shards ? undefined : openLines(out);
    try {
      for (const path of positionals) {
        for await (const { id, sequence } of readSequences(path)) {
          signal.throwIfAborted();
          const { inputIds: ids, unknownCount } = tokenizer.encodeBatch([sequence], options);
          records++;
          bases += sequence.length;
          tokens += ids.length;
          unknownBases += unknownCount;
          shards?.append(id, ids);
          await lines?.write(JSON.stringify(
            output === 'ids' ? { id, ids: [...ids] }
            : output === 'tokens' ? { id, tokens: Array.from(ids, (token) => tokenizer.idToToken(token)) }
            : { id, ...offsetsOf(tokenizer, sequence, options) }));
          progress.update({ stage: 'tokenize', done: records, unit: 'records', bases, tokens });
        }
      }
      shards?.commit({ bases, unknownBases, tokenizer: fingerprintOf(values['tokenizer']), ...options });
      lines?.commit();
    } catch (error) {
      shards?.abandon();
      lines?.abandon();
      throw error;
    }
    progress.finish();
    warnOfUnknown(unknownBases, bases);
  },
};

/** One in a hundred is more than the N of a finished genome. */
export function warnOfUnknown(unknownBases: number, bases: number): void {
  if (unknownBases > 0.01 * bases) process.stderr.write(`genomelm: ${unknownBases} of ${bases} bases became the unknown token (${((100 * unknownBases) / bases).toFixed(1)} %); soft-masked (lower-case) input? --upper reads it\n`);
}

/** The hash of a file, or the name of a tokenizer that is made from it. */
const fingerprintOf = (name: string): string => (existsSync(name) ? `sha256:${createHash('sha256').update(readFileSync(name)).digest('hex')}` : name);

function offsetsOf(tokenizer: Tokenizer, sequence: string | Uint8Array, options: EncodeOptions): { ids: number[]; offsets: [number, number][] } {
  const { ids, offsets } = tokenizer.encodeWithOffsets(sequence, options);
  return { ids: [...ids], offsets: Array.from(ids, (_, i) => [offsets[2 * i], offsets[2 * i + 1]]) };
}
