// Opens one page in a Firefox that this machine has (GENOMELM_FIREFOX), with WebGPU on, and without a driver: the page sends what it found to its server.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';

/** WebGPU and WebGL also where a CPU plays the GPU; nothing that asks or fetches at the first start. */
const preferences = {
  'dom.webgpu.enabled': true, 'dom.webgpu.workers.enabled': true, 'gfx.webgpu.ignore-blocklist': true, 'webgl.force-enabled': true, 'browser.shell.checkDefaultBrowser': false, 'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false, 'app.update.enabled': false, 'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false,
};

/** Put into a page: sends `globalThis.results`, once they are there. */
export const sender = `<script>(function send() { globalThis.results ? fetch('/results', { method: 'POST', body: JSON.stringify({ crossOriginIsolated, results }) }) : setTimeout(send, 100); })();</script>`;

/** Shows the page until `found` resolves. Without a display there is no window, and no WebGL either. */
export async function showInFirefox(binary, address, found, milliseconds) {
  const profile = mkdtempSync(join(tmpdir(), 'genomelm-firefox-'));
  writeFileSync(join(profile, 'user.js'), Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${value});\n`).join(''));
  const firefox = spawn(binary, ['--no-remote', '--profile', profile, ...(process.env.DISPLAY ? [] : ['--headless']), address], { stdio: 'ignore', env: { ...process.env, HOME: profile } });
  const ended = new Promise((_, failed) => firefox.once('error', failed).once('exit', (code) => failed(new Error(`firefox: expected a browser that stays open, got exit code ${code}; try GENOMELM_FIREFOX=${binary} by hand`))));
  let timer;
  try {
    return await Promise.race([found, ended, new Promise((_, failed) => { timer = setTimeout(() => failed(new Error(`firefox: expected results of ${address} within ${milliseconds / 1000} s, got none`)), milliseconds); })]);
  } finally {
    clearTimeout(timer);
    firefox.kill();
    await ended.catch(() => undefined);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
