import { createRankEncoder } from '../src/encodeByRank';
import { compileForTest } from './references';
import { linearEncoder, run } from './runEncoders';

it('node numbers above 32,767: 38,416 tokens of 5 letters with different beginnings', () => {
  const letters14 = [...'ABCDEFGHIJKLMN'];
  const endings = (length: number): string[] => (length === 1 ? ['Z'] : endings(length - 1).flatMap((ending) => letters14.map((letter) => letter + ending)));
  const list = [2, 3, 4, 5].flatMap((length) => endings(length).map((text) => [text[0], text.slice(1)] as const));
  const { texts, letters, rules } = compileForTest('ABCDEFGHIJKLMNZ', list);
  const linear = linearEncoder(list, [...letters14, 'Z'].join(''))!, byRank = createRankEncoder(letters, rules, texts.length);
  const text = Array.from({ length: 5000 }, (_, i) => (i % 7 === 6 ? 'Z' : letters14[(i * i * 31 + (i >>> 3)) % 14])).join('');
  expect(run(linear, text, texts)).toEqual(run(byRank, text, texts));
  const lastTokens = list.slice(-1000).map(([left, right]) => left + right);
  expect(run(linear, lastTokens.join(''), texts).tokens).toEqual(lastTokens);
});
