/** One of Node's own modules, found without an import that a bundler would follow into a browser; undefined where there is no Node. */
export function nodeModule<Name extends 'node:fs' | 'node:zlib' | 'node:stream'>(name: Name) {
  return typeof process === 'undefined' ? undefined : process.getBuiltinModule?.(name);
}
