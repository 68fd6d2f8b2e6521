// Runs every ```ts block of the README, of every package's README and of the guides as a program of its own, against the built packages, after checking its types.
// A ```text block that follows directly is what the program must print.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { writeCounts } from './counts.cjs';

const folder = resolve('.nx/readmes'); // inside the workspace, so that node_modules is found
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const counts = { passed: 0, failed: 0 };
const verdict = (ok, title, text = '') => {
  counts[ok ? 'passed' : 'failed']++;
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${title}${ok ? '' : `\n${text}`}`);
};

const readmes = [['workspace', 'README.md'], ...readdirSync('packages').map((name) => [name, join('packages', name, 'README.md')]), ...readdirSync('docs/guides').map((name) => [name.replace('.md', ''), join('docs/guides', name)])];
const examples = readmes.flatMap(([name, readme]) => {
  if (!existsSync(readme)) { verdict(false, `${readme}`, 'is missing'); return []; }
  const text = readFileSync(readme, 'utf8').replaceAll('\r\n', '\n');
  return [...text.matchAll(/^```ts\n([^]*?)^```\n(?:\s*```text\n([^]*?)^```)?/gm)].map(([whole, code, output], i) => {
    const line = text.slice(0, text.indexOf(whole)).split('\n').length;
    return { title: `${readme}, line ${line}`, file: `${name}${i}`, code, output };
  });
});

for (const { file, code } of examples) writeFileSync(join(folder, `${file}.mts`), code);
const options = { extends: '../../tsconfig.base.json', compilerOptions: { customConditions: [], module: 'esnext', types: ['node'], lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'] }, files: [], include: ['*.mts'] };
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
const types = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], { encoding: 'utf8' });
verdict(types.status === 0, `types of ${examples.length} examples`, types.stdout);

for (const { title, file, code, output } of examples) {
  const script = join(folder, `${file}.mjs`);
  writeFileSync(script, (await transform(code, { loader: 'ts', format: 'esm', target: 'es2022' })).code);
  const run = await promisify(execFile)(process.execPath, [script], { cwd: folder, timeout: 300_000 }).then(({ stdout }) => ({ stdout }), (error) => ({ error }));
  const wrong = run.error ? `${run.error.stdout}${run.error.stderr}${run.error.message}` : output !== undefined && run.stdout !== output ? `expected\n${output}got\n${run.stdout}` : undefined;
  verdict(wrong === undefined, title, wrong);
}
writeCounts(counts);
process.exit(counts.failed ? 1 : 0);
