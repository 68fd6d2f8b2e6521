import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let known: string | undefined;

/** Twelve digits that change with the code that trains our models. They are part of a run's identity, so that a changed program never serves the results of an older one from the store. */
export function codeHash(): string {
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const file of codeFiles()) hash.update(readFileSync(file));
  return (known = hash.digest('hex').slice(0, 12));
}

/** The files of the packages that train, or, where all of them are bundled into one program, that program. */
function codeFiles(): string[] {
  try {
    return ['@genomelm/kernels', '@genomelm/model', '@genomelm/tokenizer'].flatMap((name) => {
      const folder = dirname(fileURLToPath(import.meta.resolve(name)));
      return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(js|ts|wgsl)$/.test(file) && !/\.(d|test)\.ts$/.test(file)).sort().map((file) => join(folder, file));
    });
  } catch {
    return [fileURLToPath(import.meta.url)];
  }
}
