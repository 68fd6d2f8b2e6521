import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ops from '../src/ops/index';

/** Host functions that stand beside the ops. */
const notOps = ['alibiSlopes', 'rotaryTable', 'pageSize', 'AdamW'];

test.each([
  ['the browser page', '../../../docs/playground/src/cases.ts', 'export const cases', '\\('],
  ['the table of what every op refuses', 'errors.test.ts', 'const calls', '\\('],
  ['the random sweep', 'randomCases.ts', 'const attentionCase', '\\b'],
])('%s has a case for every op of the table', (_what, path, from, after) => {
  const cases = readFileSync(join(__dirname, path), 'utf8').split(from)[1];
  const missing = Object.keys(ops).filter((name) => !notOps.includes(name) && !new RegExp(`\\b${name}${after}`).test(cases));
  expect(missing).toEqual([]);
});
