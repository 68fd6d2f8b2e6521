import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Files too large or too foreign to ship lie beside the repository; tests that need them say so when they are absent. */
const folder = join(__dirname, '../../../../shared/data');
export const shared = (path: string) => join(folder, path);
export function describeWithShared(title: string, path: string, body: () => void): void {
  if (existsSync(shared(path))) describe(title, body);
  else skipped(title, `../shared/data/${path} is absent`);
}

/** jest runs the body even of a skipped describe, and these bodies list files: so a skipped test stands in their place. */
const skipped = (title: string, why: string) => describe(title, () => test.skip(`[skipped: ${why}]`, () => undefined));

/** Other programs as oracles: Debian has them (tabix, samtools, bcftools, emboss). */
export function describeWithTool(tool: string, body: () => void): void {
  const found = (process.env.PATH ?? '').split(delimiter).some((place) => existsSync(join(place, tool)));
  if (found) describe(`against ${tool}`, body);
  else skipped(`against ${tool}`, 'it is not installed here');
}
