/** Real genomes and vocabularies: the fast code against the definition and against Hugging Face, at full size. */
import fc from 'fast-check';
import { Tokenizer as PeerTokenizer } from '@huggingface/tokenizers';
import { compileMerges } from '../src/bpe';
import { createLetterTables } from '../src/encodeAscii';
import { createRankEncoder } from '../src/encodeByRank';
import { createLinearEncoder } from '../src/encodeLinear';
import { encodeEdited, encodeStream, parseTokenizerJson, serializeTokenizerJson, trainBpe, type BpeTokenizer } from '../src/index';
import { createEncoderPool } from '../src/parallel/index';
import { createLinearTables } from '../src/linearTables';
import type { Letters } from '../src/mergeRules';
import { createTokenBuffer } from '../src/tokenBuffer';
import { dna } from './arbitraries';
import { encodeByDefinition } from './references';
import { describeWithData } from './sharedData';

const dnabert2 = 'tokenizer/dnabert2/tokenizer.json', gena = 'tokenizer/gena_lm/human_BPE_32k.tokenizer.json.gz', genaStripped = 'tokenizer/gena_lm/human_BPE_32k_all_chr_10M.tokenizer.json.gz', genaMulti = 'tokenizer/gena_lm/t2t_1000h_multi_32k.tokenizer.json.gz', yeast = 'genomes/yeast/R64-1-1.genome.fa.gz';
const chromosomes = (fasta: Buffer) => fasta.toString().split('>').slice(1).map((entry) => entry.slice(entry.indexOf('\n')).replace(/\s/g, ''));
const bare = { addSpecialTokens: false };

function lettersOf(tokenizer: BpeTokenizer): Letters {
  const ofUnit = new Uint16Array(2 ** 16).fill(0xffff);
  [...'ACGT'].forEach((letter, i) => { ofUnit[letter.charCodeAt(0)] = i; });
  return { ofUnit, tokenId: Uint32Array.from('ACGT', (letter) => tokenizer.tokenToId(letter)!) };
}

const sameNumbers = (a: Uint32Array, b: Uint32Array) => a.length === b.length && a.every((value, i) => value === b[i]);

function encodeByRank(tokenizer: BpeTokenizer, text: string): Uint32Array {
  const out = createTokenBuffer();
  createRankEncoder(lettersOf(tokenizer), compileMerges(tokenizer.definition), tokenizer.vocabSize)(text, 0, text.length, out);
  return out.ids.slice(0, out.length);
}

/** Counts all neighbours again for every merge, on typed arrays. */
function trainByRecount(text: string, merges: number): string[] {
  const vocab = [...'ACGT'], result: string[] = [];
  let tokens = Uint16Array.from(text, (letter) => vocab.indexOf(letter));
  for (let m = 0; m < merges; m++) {
    const counts = new Uint32Array(vocab.length * vocab.length);
    for (let i = 0; i + 1 < tokens.length; i++) counts[tokens[i] * vocab.length + tokens[i + 1]]++;
    const best = counts.indexOf(counts.reduce((max, count) => Math.max(max, count), 0));
    const left = Math.floor(best / vocab.length), right = best % vocab.length;
    result.push(`${vocab[left]} ${vocab[right]}`);
    let length = 0;
    for (let i = 0; i < tokens.length; i++) {
      const joins = tokens[i] === left && i + 1 < tokens.length && tokens[i + 1] === right;
      tokens[length++] = joins ? vocab.length : tokens[i];
      if (joins) i++;
    }
    tokens = tokens.slice(0, length);
    vocab.push(vocab[left] + vocab[right]);
  }
  return result;
}

describeWithData('yeast', [yeast, dnabert2, gena], (read) => {
  const genome = chromosomes(read(yeast));

  it.each([['DNABERT-2, 4,096 tokens', dnabert2], ['GENA-LM human, 32,000 tokens', gena]])('%s: all 16 chromosomes and the mitochondrial genome, linear encoder equals the definition', (_, file) => {
    const tokenizer = parseTokenizerJson(read(file).toString());
    expect([genome.length, genome[3].length]).toEqual([17, 1_531_933]);
    for (const chromosome of genome) expect(sameNumbers(tokenizer.encode(chromosome, bare), encodeByRank(tokenizer, chromosome))).toBe(true);
  });

  it('12 Mb take as many steps a base as pieces of 10 kb: candidates tried, and letters read', () => {
    const tokenizer = parseTokenizerJson(read(dnabert2).toString()), whole = Buffer.from(genome.join('')), alphabet = lettersOf(tokenizer), { idToToken } = tokenizer;
    const tables = createLinearTables(alphabet, createLetterTables(alphabet, { normalizer: null, preTokenizer: null }), compileMerges(tokenizer.definition), (id) => idToToken(id)!, tokenizer.vocabSize)!;
    let candidates = 0, letters = 0;
    const forbidden = new Proxy(tables.forbidden, { get: (words, at) => { candidates++; return words[at as unknown as number]; } });
    const encode = createLinearEncoder({ ...tables, forbidden }, { wasm: false });
    const steps = (pieces: readonly Uint8Array[]) => {
      [candidates, letters] = [0, 0];
      const out = createTokenBuffer();
      for (const piece of pieces) encode({ length: piece.length, start: 0, fill(bytes, at, count) { bytes.set(piece.subarray(at, at + count)); letters += count; return true; } }, 0, () => -1, out);
      return { candidates: candidates / whole.length, letters: letters / whole.length, tokens: out.length };
    };
    const atOnce = steps([whole]), piecewise = steps(Array.from({ length: Math.ceil(whole.length / 10_000) }, (_unused, i) => whole.subarray(10_000 * i, 10_000 * (i + 1))));
    expect(atOnce.tokens).toBe(2_439_643);
    expect(piecewise.letters).toBe(1);
    expect(atOnce.letters).toBeLessThan(1.01);
    expect(atOnce.candidates).toBeLessThan(1.01 * piecewise.candidates);
    expect(atOnce.candidates).toBeLessThan(0.6);
  });

  it('offsets of a chromosome tile it', () => {
    const tokenizer = parseTokenizerJson(read(dnabert2).toString()), { ids, offsets } = tokenizer.encodeWithOffsets(genome[0], bare);
    const ends = offsets.filter((_, i) => i % 2 === 1), starts = offsets.filter((_, i) => i % 2 === 0);
    expect(starts.subarray(1)).toEqual(ends.subarray(0, -1));
    expect([starts[0], ends.at(-1)]).toEqual([0, genome[0].length]);
    expect(tokenizer.decode(ids)).toBe(genome[0]);
  });

  it('merges of chromosome I equal a full recount', async () => {
    const trained = await trainBpe([genome[0]], { vocabSize: 604, specialTokens: [] });
    expect(trained.definition.merges.map((merge) => merge.join(' '))).toEqual(trainByRecount(genome[0], 600));
  });

  it('a vocabulary of 9,000 tokens trained on it: linear equals definition, and Hugging Face reads it', async () => {
    const trained = await trainBpe(genome.slice(0, 4), { vocabSize: 9000 }), sample = genome[5].slice(0, 200_000);
    expect(trained.encode(sample, bare)).toEqual(encodeByRank(trained, sample));
    const peer = new PeerTokenizer(JSON.parse(serializeTokenizerJson(trained)) as object, {}), text = sample.slice(0, 20_000);
    expect([...trained.encode(text)]).toEqual(peer.encode(text).ids);
  });
});

describeWithData('yeast in pieces', [yeast, dnabert2, gena], (read) => {
  const genome = chromosomes(read(yeast)), whole = genome.join('');

  it.each([['DNABERT-2', dnabert2], ['GENA-LM human', gena]])('%s: a stream of 12 Mb, two threads, and 2,000 variants give the ids of the whole', async (_, file) => {
    const tokenizer = parseTokenizerJson(read(file).toString()), expected = tokenizer.encodeWithOffsets(whole, bare);
    function* chunks() { for (let at = 0, size = 1; at < whole.length; at += size, size = (size * 7 + 13) % 100_003) yield whole.slice(at, at + size); }
    const streamed = new Uint32Array(expected.ids.length);
    let length = 0;
    for await (const piece of encodeStream(tokenizer, chunks(), bare)) {
      streamed.set(piece, length);
      length += piece.length;
    }
    expect(length).toBe(expected.ids.length);
    expect(Buffer.compare(Buffer.from(streamed.buffer), Buffer.from(expected.ids.buffer))).toBe(0);

    const pool = createEncoderPool(tokenizer, { threads: 2 }), parallel = await pool.encodeWithOffsets(whole, bare);
    expect(sameNumbers(await pool.encode(whole, bare), expected.ids)).toBe(true);
    await pool.close();
    expect([sameNumbers(parallel.ids, expected.ids), sameNumbers(parallel.offsets, expected.offsets)]).toEqual([true, true]);

    const edits = Array.from({ length: 2000 }, (_unused, i) => ({ start: 6000 * i + (i * 37) % 5000, end: 6000 * i + (i * 37) % 5000 + i % 4, replacement: 'ACGTTGCA'.slice(i % 5, i % 8) }));
    const edited = encodeEdited(tokenizer, { sequence: whole, ...expected }, edits), again = tokenizer.encodeWithOffsets(edited.sequence, bare);
    expect(edited.sequence.length).not.toBe(whole.length);
    expect(Buffer.compare(Buffer.from(edited.ids.buffer), Buffer.from(again.ids.buffer))).toBe(0);
    expect(Buffer.compare(Buffer.from(edited.offsets.buffer), Buffer.from(again.offsets.buffer))).toBe(0);
  });

  it('trained on 3 Mb in memory, out of core, and continued after 1,000 merges: the same 4,096 tokens', async () => {
    const corpus = genome.slice(0, 4), options = { vocabSize: 4096 }, { merges } = (await trainBpe(corpus, options)).definition;
    expect((await trainBpe(corpus, { ...options, maxMemory: 100e6 })).definition.merges).toEqual(merges);
    expect((await trainBpe(corpus, { ...options, maxMemory: 100e6, initialMerges: merges.slice(0, 1000) })).definition.merges).toEqual(merges);
  });
});

describeWithData('random text, released vocabularies', [dnabert2, gena, genaStripped, genaMulti], (read) => {
  const dirty = fc.array(fc.oneof(dna('ACGT', 20), dna('ACGTN'), fc.constantFrom('acgt', 'RYKM', ' ', '\n', '-', '_', '1', 'U', 'é', '😀', '[MASK]', '[CLS]', '[UNK', 'GATTACA', 'N'.repeat(9), 'N'.repeat(25))), { maxLength: 12 }).map((parts) => parts.join(''));

  it.each([['DNABERT-2', dnabert2], ['GENA-LM human', gena], ['GENA-LM human, Strip', genaStripped], ['GENA-LM multi-species, Strip, Replace, Split', genaMulti]])('%s: ids equal Hugging Face', (_, file) => {
    const json = read(file).toString(), tokenizer = parseTokenizerJson(json), peer = new PeerTokenizer({ ...JSON.parse(json) as object, decoder: null }, {});
    fc.assert(fc.property(dirty, fc.option(dirty, { nil: undefined }), fc.boolean(), (text, pair, addSpecialTokens) => {
      expect([...tokenizer.encode(text, { pair: pair || undefined, addSpecialTokens })]).toEqual(peer.encode(text, { text_pair: pair || null, add_special_tokens: addSpecialTokens }).ids);
    }), { numRuns: 3000 });
  });

  it.each([['DNABERT-2', dnabert2], ['GENA-LM human', gena]])('%s: tokens equal the quadratic definition', (_, file) => {
    const tokenizer = parseTokenizerJson(read(file).toString());
    fc.assert(fc.property(dna('ACGT', 30), (text) => {
      expect([...tokenizer.encode(text, bare)].map((id) => tokenizer.idToToken(id))).toEqual(encodeByDefinition(text, tokenizer.definition.merges));
    }), { numRuns: 1000 });
  });
});
