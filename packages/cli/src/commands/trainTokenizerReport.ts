import type { BpeTokenizer } from '@genomelm/tokenizer';

export interface TrainingFacts {
  readonly files: readonly string[];
  readonly bases: number;
  readonly algorithm: string;
  readonly seconds: number;
  /** Of the largest process, and of all. */
  readonly peakMemoryBytes: number;
  readonly processes: number;
  /** The start of the corpus, encoded again. */
  readonly sample: { readonly bases: number; readonly tokens: number };
}

/** What a person wants to know of a trained tokenizer, as Markdown: figures, token lengths, and every merge. */
export function renderTrainingReport({ definition: { vocab, merges } }: BpeTokenizer, facts: TrainingFacts): string {
  const products = [...new Set(merges.map((merge) => merge.join('')))], strands = strandCoverage(products);
  const { sample } = facts, byLength = new Map<number, string[]>();
  for (const token of products) byLength.set(token.length, [...byLength.get(token.length) ?? [], token]);
  const lengths = [...byLength].sort(([a], [b]) => a - b), mean = products.reduce((sum, token) => sum + token.length, 0) / Math.max(1, products.length);
  return `${[
    '# Training report', '',
    `- corpus: ${facts.bases} bases in ${facts.files.join(', ')}`,
    `- training: ${facts.algorithm}, ${facts.seconds} s, ${Math.round(facts.peakMemoryBytes / 2 ** 20)} MiB at most${facts.processes > 1 ? ` in each of ${facts.processes + 1} processes` : ''}`,
    `- vocabulary: ${vocab.size} tokens, ${merges.length} merges`,
    `- bases per token: ${(sample.bases / Math.max(1, sample.tokens)).toFixed(3)} over the first ${sample.bases} bases of the corpus`,
    `- token length: ${mean.toFixed(2)} bases on average over the merged tokens, ${lengths.at(-1)?.[0] ?? 1} at most`,
    `- both strands: ${strands.covered} of ${products.length} merged tokens (${(100 * strands.covered / Math.max(1, products.length)).toFixed(1)} %) have their reverse complement in the vocabulary, ${strands.palindromes} of them are their own`,
    '', '## Tokens by length', '', '| bases | tokens | such as |', '|---|---|---|',
    ...lengths.map(([length, tokens]) => `| ${length} | ${tokens.length} | ${shorten(tokens[0])} |`),
    '', '## Merges', '', '| rank | left | right | bases |', '|---|---|---|---|',
    ...merges.map(([left, right], rank) => `| ${rank} | ${left} | ${right} | ${left.length + right.length} |`),
  ].join('\n')}\n`;
}

const shorten = (token: string) => (token.length > 40 ? `${token.slice(0, 37)}…` : token);
const complement: Readonly<Record<string, string>> = { A: 'T', C: 'G', G: 'C', T: 'A' };

/** Tokens whose reverse complement is a token too: a vocabulary that reads both strands alike has all of them. */
export function strandCoverage(tokens: readonly string[]): { readonly covered: number; readonly palindromes: number } {
  const known = new Set(tokens), other = (token: string) => Array.from(token, (base) => complement[base] ?? base).reverse().join('');
  const covered = tokens.filter((token) => known.has(other(token)));
  return { covered: covered.length, palindromes: covered.filter((token) => other(token) === token).length };
}
