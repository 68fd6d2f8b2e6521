/** Node's own modules, without an import that a bundler would follow into a browser. @param operation - named in the error elsewhere */
export function nodeModules(operation: string): { fs: typeof import('node:fs'); path: typeof import('node:path'); os: typeof import('node:os'); crypto: typeof import('node:crypto') } {
  const get = typeof process === 'undefined' ? undefined : process.getBuiltinModule;
  if (!get) throw new TypeError(`${operation}: expected Node, got an environment without a file system; use the functions that take texts and records instead`);
  return { fs: get('node:fs'), path: get('node:path'), os: get('node:os'), crypto: get('node:crypto') };
}
