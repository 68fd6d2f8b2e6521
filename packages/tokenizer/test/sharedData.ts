import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** `../shared/data` beside the repository, where real data may lie; it is never part of the repository. */
function findSharedData(): string | undefined {
  let folder = __dirname;
  while (!existsSync(join(folder, 'nx.json'))) {
    if (folder === dirname(folder)) return undefined;
    folder = dirname(folder);
  }
  const data = join(folder, '..', 'shared', 'data');
  return existsSync(data) ? data : undefined;
}

const sharedData = findSharedData();

/** Declares tests that need files of the shared data, or one skipped test that says what is missing. */
export function describeWithData(name: string, files: readonly string[], tests: (read: (file: string) => Buffer) => void): void {
  const missing = sharedData === undefined ? ['../shared/data'] : files.filter((file) => !existsSync(join(sharedData, file)));
  if (missing.length > 0) {
    describe(name, () => { it.skip(`needs ${missing.join(', ')}, which this machine does not have`, () => {}); });
    return;
  }
  describe(name, () => tests((file) => {
    const bytes = readFileSync(join(sharedData!, file));
    return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  }));
}
