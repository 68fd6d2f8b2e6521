// npm run bench -- NAME [--json [FILE]] [--wide] [options of that bench]: measures one of our packages beside its rivals, in one run.
// --wide runs all of it, the rivals too, with V8's --experimental-wasm-revectorize, for which ours has wide tiles; in the npm package of Node 26 where this Node is older than 24.
// A bench is tools/bench/NAME.mjs with `packages` (ours, built first), `peers` (from npm, installed into tools/bench/peers) and
// `run({ peer, args, note })`, which yields rows { name, ours, peer, ratio, unit }: ratio says how many times better ours is.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../run.mjs';

const folder = join(root, 'tools/bench'), peersFolder = join(folder, 'peers');
const [name, ...args] = process.argv.slice(2);
const benches = readdirSync(folder).filter((file) => file.endsWith('.mjs') && !['gpu.mjs', 'main.mjs', 'measure.mjs'].includes(file)).map((file) => file.slice(0, -4));
if (!benches.includes(name)) {
  console.error(`bench: expected one of ${benches.join(', ')}, got ${name ?? 'nothing'}; npm run bench -- ${benches[0]} [--json]`);
  process.exit(2);
}
const json = args.includes('--json'), [, jsonFile] = /^--json (?!--)(\S+)/.exec(args.slice(args.indexOf('--json')).join(' ')) ?? [];
const note = (text) => console.error(`# ${text}`);
const step = (command, ...rest) => {
  const { status } = spawnSync(command, rest, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, NX_DAEMON: 'false' } });
  if (status !== 0) process.exit(status ?? 1);
};

mkdirSync(peersFolder, { recursive: true });
if (!existsSync(join(peersFolder, 'package.json'))) writeFileSync(join(peersFolder, 'package.json'), JSON.stringify({ private: true }));
const installed = (peer) => { try { return JSON.parse(readFileSync(join(peersFolder, 'node_modules', peer, 'package.json'), 'utf8')).version; } catch { return undefined; } };
function install(peers) {
  const missing = Object.entries(peers).filter(([peer, version]) => installed(peer) !== version).map((entry) => entry.join('@'));
  if (missing.length === 0) return;
  note(`installing ${missing.join(', ')}`);
  step('npm', 'install', '--prefix', peersFolder, '--no-audit', '--no-fund', '--ignore-scripts', ...missing);
}

const joinRegisters = '--experimental-wasm-revectorize';
if (args.includes('--wide') && !process.execArgv.includes(joinRegisters)) {
  const newer = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`, ownDoes = Number.parseInt(process.versions.v8) >= 13;
  if (!ownDoes) install({ [newer]: '26.10.0' });
  process.exit(spawnSync(ownDoes ? process.execPath : join(peersFolder, 'node_modules', newer, 'bin/node'), [joinRegisters, ...process.argv.slice(1)], { stdio: 'inherit' }).status ?? 1);
}

const bench = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
step(process.execPath, 'node_modules/nx/dist/bin/nx.js', 'run-many', '-t', 'build', '-p', bench.packages.join(','), '--output-style=static');
install(bench.peers);
const require = createRequire(join(peersFolder, 'package.json'));
const peer = async (which) => {
  const loaded = await import(pathToFileURL(require.resolve(which)).href);
  return { ...loaded.default, ...loaded }; // CommonJS modules do not always name their exports
};

note(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`);
const rows = [], format = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
for await (const row of bench.run({ peer, args, note })) {
  rows.push(row);
  if (!json) console.log(`${row.name.padEnd(64)} ${format(row.ours).padStart(8)} ${format(row.peer).padStart(8)} ${row.unit.padEnd(6)} ${format(row.ratio).padStart(7)} x`);
}
if (json) {
  const text = JSON.stringify({ rows });
  if (jsonFile) {
    writeFileSync(`${jsonFile}.part`, `${text}\n`);
    renameSync(`${jsonFile}.part`, jsonFile);
  } else console.log(text);
}
