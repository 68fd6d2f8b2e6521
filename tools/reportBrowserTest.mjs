// Opens report pages from disk in a real Chromium that has no network, and fails on any request, console message, page error or markup that an XML parser refuses.
// node tools/reportBrowserTest.mjs FILE... [--screenshots FOLDER]
/* global document, DOMParser, NodeFilter, innerWidth, scrollTo */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { softwareGpuEnvironment, softwareGpuFolder } from './softwareGpu.mjs';

const { positionals: files, values: { screenshots } } = parseArgs({ allowPositionals: true, options: { screenshots: { type: 'string' } } });
const bundled = softwareGpuFolder();
const { GENOMELM_CHROMIUM: ownChromium } = process.env;
const executablePath = ownChromium ?? (bundled && join(bundled, 'chromium'));
if (!executablePath) { console.log('skipped: no browser for this platform; set GENOMELM_CHROMIUM to a Chrome or Chromium'); process.exit(0); }
// Without a font text has no width, and nothing could overflow: the bundled Open Sans first, then what the machine has.
const fonts = mkdtempSync(join(tmpdir(), 'genomelm-fonts-'));
const families = ['sans-serif', 'serif', 'system-ui'].map((name) => `<alias binding="strong"><family>${name}</family><prefer><family>Open Sans</family></prefer></alias>`).join('');
writeFileSync(join(fonts, 'fonts.conf'), `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${bundled}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>${fonts}/cache</cachedir>${families}</fontconfig>`);
const browser = await chromium.launch({
  executablePath, headless: true, env: { ...process.env, ...softwareGpuEnvironment(ownChromium ? null : bundled), ...(bundled && { FONTCONFIG_FILE: join(fonts, 'fonts.conf') }) }, // another Chromium has graphics libraries of its own, no fonts
  args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
});
const looks = {
  desktop: { width: 1280, height: 900, colorScheme: 'light', media: 'screen' }, dark: { width: 1280, height: 900, colorScheme: 'dark', media: 'screen' },
  phone: { width: 390, height: 844, colorScheme: 'light', media: 'screen' }, print: { width: 718, height: 1000, colorScheme: 'dark', media: 'print' },
};
const faults = [];
try {
  for (const file of files) {
    const address = pathToFileURL(resolve(file)).href;
    for (const [look, { width, height, colorScheme, media }] of Object.entries(looks)) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, offline: true });
      const page = await context.newPage();
      const fault = (what) => faults.push(`${file}, ${look}: ${what}`);
      page.on('request', (request) => request.url() === address || fault(`requested ${request.url()}`));
      page.on('console', (message) => fault(`wrote to the console: ${message.text()}`));
      page.on('pageerror', (error) => fault(error.message));
      await page.goto(address);
      await page.emulateMedia({ media, colorScheme });
      for (const complaint of await page.evaluate(inspect, readFileSync(file, 'utf8'))) fault(complaint);
      if (screenshots) {
        mkdirSync(screenshots, { recursive: true });
        await picture(page, join(screenshots, look));
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  rmSync(fonts, { recursive: true });
}
for (const fault of faults) console.error(fault);
if (!faults.length) console.log(`${files.length} page(s): no request, no console message, well-formed, no sideways scrolling`);
process.exit(faults.length ? 1 : 0);

/** Writes `stem.png`, and of a longer page `stem-2.png` and so on: in one picture Chromium's graphics process breaks down at 390 x 300,000 pixels. */
async function picture(page, stem) {
  const { width } = page.viewportSize();
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  const most = Math.min(whole, 16_384);
  await page.setViewportSize({ width, height: most });
  for (let top = 0; top < whole; top += most) {
    await page.evaluate((y) => scrollTo(0, y), top);
    const height = Math.min(most, whole - top); // the last piece lies at the foot of the window
    await page.screenshot({ path: `${stem}${top ? `-${top / most + 1}` : ''}.png`, clip: { x: 0, y: most - height, width, height } });
  }
}

/** Runs in the page. */
function inspect(source) {
  const complaints = [];
  if (document.querySelector('h1').getBoundingClientRect().height < 20) complaints.push('shows no text: no font was found');
  const error = new DOMParser().parseFromString(source, 'application/xhtml+xml').querySelector('parsererror');
  if (error) complaints.push(`is not well-formed: ${error.textContent}`);
  if (document.documentElement.scrollWidth > innerWidth) complaints.push(`is ${document.documentElement.scrollWidth} pixels wide in a window of ${innerWidth}`);
  if (document.querySelector('script, link, img, iframe, object, embed, [src]')) complaints.push('holds an element that can load something');
  const nodes = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT);
  while (nodes.nextNode()) for (const { name } of nodes.currentNode.attributes) if (/^on/i.test(name)) complaints.push(`holds the event handler ${name}`);
  for (const picture of document.querySelectorAll('svg[role=img]')) if (!picture.querySelector('title')?.textContent) complaints.push('holds a picture without a title');
  return complaints;
}
