import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository root: the nearest folder above with the workspace's package-lock.json. */
function root(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package-lock.json'))) folder = dirname(folder);
  return folder;
}

export const realGue = join(root(), '../shared/data/gue/GUE');

/** `describe` where the real data lie beside the repository; elsewhere a skipped group that says what it misses. */
export const describeWithRealData = (name: string, tests: () => void): void => {
  if (existsSync(realGue)) describe(name, tests);
  else describe.skip(`${name} (skipped: no real data at ../shared/data/gue/GUE)`, tests);
};
