import { createHash } from 'node:crypto';
import { createKmerTokenizer, parseTokenizerJson } from '../src/index';
import { describeWithData } from './sharedData';

interface Goldens {
  readonly tokenizer_sha256: string;
  readonly edge: Readonly<Record<string, { readonly hf: readonly number[] }>>;
  readonly sets: Readonly<Record<string, { readonly rows: number; readonly tokens: number; readonly max_len_with_specials: number; readonly sha256_of_ids_lines: string; readonly first20: readonly (readonly number[])[] }>>;
}

const sets = ['EMP/H3/test', 'prom/prom_core_tata/test'];
const csv = (set: string) => `gue/GUE/${set}.csv.gz`;

describeWithData('ids of the released DNABERT-2 tokenizer, by Hugging Face', ['golden/tokenizer/dnabert2_ids.json', 'tokenizer/dnabert2/tokenizer.json', ...sets.map(csv)], (read) => {
  const goldens = JSON.parse(read('golden/tokenizer/dnabert2_ids.json').toString()) as Goldens;
  const json = read('tokenizer/dnabert2/tokenizer.json');
  const tokenizer = parseTokenizerJson(json.toString());

  it('reads the released file', () => {
    expect(createHash('sha256').update(json).digest('hex')).toBe(goldens.tokenizer_sha256);
    expect(tokenizer.vocabSize).toBe(4096);
    expect(tokenizer.specialIds).toEqual({ unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 });
  });

  it.each(Object.entries(goldens.edge))('%j', (text, { hf }) => {
    expect([...tokenizer.encode(text)]).toEqual(hf);
  });

  it.each(Object.entries(goldens.sets))('%s', (set, golden) => {
    const sequences = read(csv(set)).toString().trim().split(/\r?\n/).slice(1).map((line) => line.split(',')[0]);
    const { inputIds, cuSeqlens, maxSeqlen, unknownCount } = tokenizer.encodeBatch(sequences);
    const lines = sequences.map((_, i) => `${inputIds.subarray(cuSeqlens[i], cuSeqlens[i + 1]).join(' ')}\n`);
    expect(lines.slice(0, 20)).toEqual(golden.first20.map((ids) => `${ids.join(' ')}\n`));
    expect({ rows: lines.length, sha256: createHash('sha256').update(lines.join('')).digest('hex'), maxSeqlen, unknownCount })
      .toEqual({ rows: golden.rows, sha256: golden.sha256_of_ids_lines, maxSeqlen: golden.max_len_with_specials, unknownCount: 0 });
  });
});

describeWithData('the vocabularies of DNABERT', [3, 4, 5, 6].map((k) => `tokenizer/dnabert1_kmer/vocab_${k}mer.txt`), (read) => {
  it.each([3, 4, 5, 6])('%d-mers have the ids of their lines', (k) => {
    const vocabulary = read(`tokenizer/dnabert1_kmer/vocab_${k}mer.txt`).toString(), tokenizer = createKmerTokenizer({ k, vocabulary });
    expect(Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id)).join('\n')).toBe(vocabulary.trimEnd());
  });
});
