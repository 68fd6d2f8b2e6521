import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Files too large or too foreign to ship lie beside the repository; tests that need them say so when they are absent. */
const folder = join(__dirname, '../../../../shared/data');
export const shared = (path: string) => join(folder, path);
export const describeWithShared = (title: string, path: string, body: () => void) =>
  (existsSync(shared(path)) ? describe : describe.skip)(existsSync(shared(path)) ? title : `${title} [skipped: ../shared/data/${path} is absent]`, body);

/** Other programs as oracles: Debian has them (tabix, samtools, bcftools, emboss). */
export const describeWithTool = (tool: string, body: () => void) => {
  const found = (process.env.PATH ?? '').split(delimiter).some((place) => existsSync(join(place, tool)));
  return (found ? describe : describe.skip)(found ? `against ${tool}` : `against ${tool} [skipped: it is not installed here]`, body);
};
