// How many checks passed, failed and were skipped. Every task that nx runs leaves its counts in .nx/counts, which is one of the task's cached outputs:
// a result that comes from the cache is counted like one that was computed.
const { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

const folder = join(__dirname, '../.nx/counts');

/** Called by a check: `skipped` lists what was left out and why. Outside nx nothing is written. */
function writeCounts({ passed, failed, skipped = [] }) {
  const { NX_TASK_TARGET_PROJECT: project, NX_TASK_TARGET_TARGET: target } = process.env;
  if (!project || !target) return;
  const file = join(folder, project, `${target}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ project, target, passed, failed, skipped }));
}

function readCounts() {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

module.exports = { folder, writeCounts, readCounts };
