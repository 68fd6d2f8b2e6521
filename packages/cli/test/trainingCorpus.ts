/** A corpus for the tests of train-tokenizer: 1.1 million bases of unequal frequencies in two records. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleGenomelm, freshFolder } from './genomelm';

let state = 1;
export const bases = Array.from({ length: 1_100_000 }, () => 'AACGGTTT'[(state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 29]).join('');

export function prepareTraining() {
  const genomelm = bundleGenomelm(), folder = freshFolder('train'), at = (name: string) => join(folder, name);
  writeFileSync(at('corpus.fa'), `>one\n${bases.slice(0, 600_000)}\n>two\n${bases.slice(600_000)}\n`);
  const train = (out: string, ...options: string[]) => {
    const { status, stdout, stderr } = genomelm('train-tokenizer', '--vocab-size', '60', '--json', '-o', at(out), ...options, at('corpus.fa'));
    return { status, stderr, result: status === 0 ? JSON.parse(stdout) as Record<string, number> : {}, text: status === 0 ? readFileSync(at(out), 'utf8') : '' };
  };
  return { genomelm, folder, at, train };
}
