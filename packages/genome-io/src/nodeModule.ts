interface Modules {
  'node:buffer': typeof import('node:buffer');
  'node:fs': typeof import('node:fs');
  'node:os': typeof import('node:os');
  'node:stream': typeof import('node:stream');
  'node:worker_threads': typeof import('node:worker_threads');
  'node:zlib': typeof import('node:zlib');
}

/** One of Node's own modules, found without an import that a bundler would follow into a browser; undefined where there is no Node. */
export function nodeModule<Name extends keyof Modules>(name: Name): Modules[Name] | undefined {
  return typeof process === 'undefined' ? undefined : (process.getBuiltinModule?.(name) as Modules[Name] | undefined);
}
