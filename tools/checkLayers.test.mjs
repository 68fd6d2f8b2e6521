// The check of the arrows must fail on a broken arrow: each case plants one violation in a small workspace.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('checkLayers.mjs', import.meta.url));
const dependencies = { model: ['@genomelm/kernels'], gue: ['@genomelm/genome-io'], cli: ['@genomelm/gue', '@genomelm/model'] };

function check(changes) {
  const root = mkdtempSync(join(tmpdir(), 'genomelm-layers-'));
  try {
    const files = { ...changes };
    for (const folder of ['genome-io', 'tokenizer', 'kernels', 'model', 'gue', 'cli']) {
      files[`packages/${folder}/package.json`] ??= JSON.stringify({ name: `@genomelm/${folder}`, dependencies: Object.fromEntries((dependencies[folder] ?? []).map((name) => [name, '*'])) });
      files[`packages/${folder}/src/index.ts`] ??= (dependencies[folder] ?? []).map((name) => `import { a } from '${name}';`).join('\n');
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
    return { status, stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('a workspace that keeps the arrows passes', () => {
  assert.deepEqual(check({
    'packages/gue/src/a.ts': "// import { x } from '@genomelm/model'\nimport type { B } from './b';\nexport const a = process.getBuiltinModule('node:fs') as typeof import('node:fs');\nexport type { B };",
    'packages/gue/src/b.ts': "import { a } from './a';\nexport type B = typeof a;",
    'packages/gue/src/a.test.ts': "import fc from 'fast-check';\nimport { readFileSync } from 'node:fs';",
    'packages/cli/src/main.ts': "import { readFileSync } from 'node:fs';",
  }), { status: 0, stderr: '' });
});

for (const [title, changes, message] of [
  ['an import of a sibling that is not declared', { 'packages/tokenizer/src/a.ts': "import { tensor } from '@genomelm/kernels';" }, /tokenizer\/src\/a\.ts: imports @genomelm\/kernels/],
  ['the same over several lines', { 'packages/gue/src/a.ts': "import {\n  a,\n  b,\n} from '@genomelm/model/x';" }, /gue\/src\/a\.ts: imports @genomelm\/model\/x/],
  ['a re-export', { 'packages/kernels/src/a.ts': "export * from '@genomelm/model';" }, /imports @genomelm\/model/],
  ['a dynamic import', { 'packages/kernels/src/a.ts': "const m = await import('@genomelm/tokenizer');" }, /imports @genomelm\/tokenizer/],
  ['a type import', { 'packages/gue/src/a.ts': "import type { Model } from '@genomelm/model';" }, /imports @genomelm\/model/],
  ['an import of a sibling in a test', { 'packages/kernels/src/a.test.ts': "import { x } from '@genomelm/model';" }, /imports @genomelm\/model/],
  ['a declared arrow that points up', { 'packages/kernels/package.json': JSON.stringify({ dependencies: { '@genomelm/model': '*' } }) }, /kernels\/package\.json: may not depend on @genomelm\/model/],
  ['a path into a sibling', { 'packages/model/src/a.ts': "import { x } from '../../kernels/src/index';" }, /reaches outside/],
  ['a Node module in a library', { 'packages/genome-io/src/a.ts': "import { readFileSync } from 'node:fs';" }, /no browser has/],
  ['an undeclared dependency', { 'packages/genome-io/src/a.ts': "import { gunzipSync } from 'fflate';" }, /imports fflate/],
  ['a cycle of files', { 'packages/gue/src/a.ts': "import { b } from './b';", 'packages/gue/src/b.ts': "import { c } from './c';", 'packages/gue/src/c.ts': "import { type T, a } from './a';" }, /import cycle a\.ts -> b\.ts -> c\.ts -> a\.ts/],
]) {
  test(`${title} fails`, () => {
    const { status, stderr } = check(changes);
    assert.match(stderr, message);
    assert.equal(status, 1);
  });
}
