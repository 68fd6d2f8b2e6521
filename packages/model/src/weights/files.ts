interface NodeModules {
  readonly fs: typeof import('node:fs');
  readonly path: typeof import('node:path');
  readonly os: typeof import('node:os');
  readonly crypto: typeof import('node:crypto');
}

/** Whether there is a file system. */
export const isNode = (): boolean => typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function';

/** Node's own modules, without an import that a bundler would follow into a browser. @param operation - named in the error elsewhere */
export function nodeModules(operation: string): NodeModules {
  const get = typeof process === 'undefined' ? undefined : process.getBuiltinModule;
  if (!get) throw new TypeError(`${operation}: expected Node, got an environment without a file system; pass the files' contents instead of a directory`);
  return { fs: get('node:fs'), path: get('node:path'), os: get('node:os'), crypto: get('node:crypto') };
}

/** Writes beside and renames: whoever reads the path sees the whole old or the whole new file. @param contents - all of it, or pieces that are made one by one */
export async function writeAtomically(file: string, contents: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<void> {
  const { fs } = nodeModules('savePretrained');
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await fs.promises.writeFile(beside, contents, { flush: true });
    await fs.promises.rename(beside, file);
  } catch (error) {
    await fs.promises.rm(beside, { force: true });
    throw error;
  }
}
