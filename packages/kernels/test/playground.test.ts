import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ops from '../src/ops/index';

/** Host functions that stand beside the ops. */
const notOps = ['alibiSlopes', 'rotaryTable', 'pageSize', 'AdamW'];

test('the browser page has a case for every op of the table', () => {
  const cases = readFileSync(join(__dirname, '../../../docs/playground/src/cases.ts'), 'utf8').split('export const cases')[1];
  const missing = Object.keys(ops).filter((name) => !notOps.includes(name) && !new RegExp(`\\b${name}\\(`).test(cases));
  expect(missing).toEqual([]);
});
