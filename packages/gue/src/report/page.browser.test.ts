import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sampleReport } from '../../test/reportSample';
import { renderReport } from './page';

test('in a real browser without network the page asks for nothing, says nothing on the console, is well-formed and does not scroll sideways', () => {
  const folder = mkdtempSync(join(tmpdir(), 'genomelm-report-'));
  try {
    const files = [false, true].map((simulated) => join(folder, `${simulated}.html`));
    files.forEach((file, i) => writeFileSync(file, renderReport(sampleReport(i === 1))));
    const { status, stdout, stderr } = spawnSync(process.execPath, [resolve(__dirname, '../../../../tools/reportBrowserTest.mjs'), ...files], { encoding: 'utf8' });
    if (stdout.startsWith('skipped')) console.warn(stdout);
    expect([status, stderr]).toEqual([0, '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
