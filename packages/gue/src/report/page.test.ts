import fc from 'fast-check';
import { sampleReport } from '../../test/reportSample';
import type { RunRecord } from '../runRecord';
import { confusionCounts } from './confusionPlot';
import type { ReportInput } from './input';
import { renderReport } from './page';
import { niceAxis } from './scorePlot';
import { palette } from './style';

const [real, simulated] = [false, true].map(sampleReport);
const [realPage, simulatedPage] = [real, simulated].map(renderReport);
/** Those that do not stand on the page: a failure shows them and not half a megabyte. */
const absent = (page: string, expected: readonly string[]) => expected.filter((text) => !page.includes(text));
const found = (page: string, pattern: RegExp) => pattern.exec(page)?.[0];
const count = (text: string, pattern: RegExp) => (text.match(pattern) ?? []).length;

/** Tags that do not close in order, or null. Attributes must be quoted. */
function misnested(page: string): string | null {
  const open: string[] = [];
  for (const [, close, name, self] of page.replace(/^<!DOCTYPE html>/, '').replace(/<style>[^<]*<\/style>/, '').matchAll(/<(\/?)([a-zA-Z0-9]+)(?:\s+[a-zA-Z0-9-]+="[^"<]*")*\s*(\/?)>|</g)) {
    if (name === undefined) return 'a < that opens no tag';
    if (close) { if (open.pop() !== name) return `</${name}>`; } else if (!self) open.push(name);
  }
  return open.length ? `<${open.join('><')}>` : null;
}

test('every task, model, baseline and published row stands on the page, and the same input gives the same page', () => {
  const expected = [...real.tasks.map(({ name }) => `<section class="task" id="task-${name}">`), ...['small', 'dnabert2-shape', 'majority', 'composition', 'kmer', 'onehot', 'DNABERT-2 ', 'NT-2500M-multi '].map((name) => `>${name}<`)];
  expect(absent(realPage, expected)).toEqual([]);
  expect(renderReport(sampleReport(false)) === realPage).toBe(true);
});

test('the word simulated stands at the top and on every table when a record is simulated, and nowhere else', () => {
  expect(count(simulatedPage, /<table>/g)).toBeGreaterThan(20);
  expect(count(simulatedPage, /<caption><div> <span class="tag">simulated<\/span>/g)).toBe(count(simulatedPage, /<table>/g));
  expect(found(simulatedPage, /<header>\s*<p class="banner" role="note"><strong>simulated<\/strong> All data come from a simulator/)).toBeDefined();
  expect(found(realPage, /simulated</)).toBeUndefined();
});

test('a large published model beside a tiny encoder is called not comparable, on every row', () => {
  const rows = real.tasks.flatMap((task) => task.published ?? []).length;
  expect(count(realPage, /<td>not comparable<\/td>/g)).toBe(rows);
});

test('nothing on the page can load anything', () => {
  expect(absent(realPage, [`content="default-src 'none'; style-src 'unsafe-inline'"`])).toEqual([]);
  expect(found(realPage, /<(script|link|img|iframe|object|embed|use|image|base)\b|\ssrc=|url\(|@import|@font-face|https?:/i)).toBeUndefined();
  expect([...realPage.matchAll(/href="([^"]*)"/g)].every(([, target]) => target.startsWith('#'))).toBe(true);
});

test('every link leads somewhere and every picture has a title', () => {
  expect(absent(realPage, [...realPage.matchAll(/href="#([^"]*)"/g)].map(([, target]) => ` id="${target}"`))).toEqual([]);
  expect(count(realPage, /<svg[^>]*role="img"/g)).toBe(count(realPage, /<svg[^>]*role="img"[^>]*><title>[^<]/g));
  expect(count(realPage, /<th[ >]/g)).toBe(count(realPage, /<th scope="/g));
});

test('tags close in order', () => {
  expect([misnested(realPage), misnested(simulatedPage)]).toEqual([null, null]);
});

test('hostile names stay text: anywhere a string can stand, it makes no markup', () => {
  const hostile = fc.oneof(fc.constantFrom('</style><script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onload='x", '<!--', '${x}', '__proto__', 'constructor', ''), fc.string({ unit: 'binary' }));
  fc.assert(fc.property(fc.array(hostile, { minLength: 12, maxLength: 12 }), ([title, name, model, baseline, published, note, key, value, path, parameter, device, hash]) => {
    const [a, b] = [real.records[0], real.records[6]];
    const rename = (record: RunRecord, to: string): RunRecord => ({ ...record, task: name, model: to, fingerprint: hash, hyperparameters: { [parameter]: value }, cost: { ...record.cost, device } });
    const page = renderReport({
      title, records: [rename(a, `m${model}`), rename(b, `b${baseline}`)], tasks: [{ ...real.tasks[0], name, description: note, published: [{ model: published, score: 50 }] }],
      notes: [note], provenance: { [key]: value }, recordPaths: [path],
    });
    expect(misnested(page)).toBeNull();
    expect(found(page, /<(script|img)|\son[a-z]+="/i)).toBeUndefined();
  }), { numRuns: 60 });
});

test('numbers that are none are named and not drawn', () => {
  const [first] = real.records;
  const broken: RunRecord = { ...first, scores: [{ ...first.scores[0], value: NaN, interval: { ...first.scores[0].interval!, low: NaN } }], curve: [{ step: 1, epoch: 0, trainLoss: NaN, devScore: NaN }, { step: 2, epoch: 0, trainLoss: Infinity }, { step: 3, epoch: 0, trainLoss: 0.5 }] };
  const page = renderReport({ ...real, aggregates: [], records: [broken, real.records[6]], tasks: [real.tasks[0]] });
  expect(absent(page, ['no number'])).toEqual([]);
  expect(found(page, /.{20}(NaN|Infinity)/)).toBeUndefined();
});

test('a task without records is not run, and blocks the mean', () => {
  const page = renderReport({ ...real, records: real.records.filter((record) => record.task !== 'tf_3'), aggregates: [] });
  expect(absent(page, ['Not run: tf_3.', 'no mean, 1 not run'])).toEqual([]);
});

test('an empty report is a page', () => {
  expect(misnested(renderReport({ title: 'empty', records: [], tasks: [], provenance: {} } satisfies ReportInput))).toBeNull();
});

test('sizes that differ from the declared ones are shown beside, and the predictions are not', () => {
  expect(absent(realPage, ['73,335<br/><span class="tag">declared 77,669</span>'])).toEqual([]);
  expect(realPage.length).toBeLessThan(600_000);
});

test('confusion counts add up over seeds, and a label out of range ends with a sentence', () => {
  const [one, two] = real.records;
  expect(confusionCounts([one, two], 2).flat().reduce((sum, items) => sum + items)).toBe(2 * 613);
  expect(() => confusionCounts([{ ...one, predictions: { ...one.predictions, labels: [7], predicted: [0] } }], 2)).toThrow(/expected labels and predictions of prom_core_tata, small in 0 to 1, got 7 and 0 at item 0;/);
});

test('an axis holds all finite values between its ends, at round ticks', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -1e3, max: 1e3 }), { minLength: 1 }), fc.constantFrom('tick' as const, 'value' as const), (values, ends) => {
    const axis = niceAxis(values, 5, ends);
    const finite = values.filter(Number.isFinite);
    for (const value of finite) expect(value >= axis.low - 1e-6 && value <= axis.high + 1e-6).toBe(true);
    expect(axis.high).toBeGreaterThan(axis.low);
    expect(axis.ticks.length).toBeLessThanOrEqual(9);
  }));
});

test('all text has a contrast of at least 4.5, marks of at least 3, in light and dark', () => {
  const channels = (colour: string) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const luminance = (rgb: readonly number[]) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + [0.2126, 0.7152, 0.0722][i] * c, 0);
  const contrast = (a: readonly number[], b: readonly number[]) => { const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y); return (high + 0.05) / (low + 0.05); };
  for (const colours of Object.values(palette)) {
    for (const ground of [colours.page, colours.panel].map(channels)) {
      for (const text of [colours.ink, colours.muted, colours.link, colours.good, colours.bad, colours.series0, colours.series1, colours.series2, colours.series3, colours.series4]) expect(contrast(channels(text), ground)).toBeGreaterThan(4.5);
      const darkestCell = channels(colours.heat).map((c, i) => 0.5 * c + 0.5 * ground[i]);
      expect(contrast(channels(colours.ink), darkestCell)).toBeGreaterThan(4.5);
    }
    expect(contrast(channels(colours.warnInk), channels(colours.warn))).toBeGreaterThan(4.5);
  }
});

test('in the plot of costs no name covers another or the axis, also where all scores are equal and names are long', () => {
  const rename = (name: string) => (name === 'kmer' ? 'a-name-that-goes-on-and-on-beyond-all-bounds' : name);
  const flat: ReportInput = {
    ...real,
    records: real.records.map((record) => ({ ...record, model: rename(record.model), scores: record.scores.map((score) => ({ ...score, value: 0 })) })),
    aggregates: real.aggregates!.map((aggregate) => ({ ...aggregate, model: rename(aggregate.model), mean: 0 })),
    differences: [],
  };
  const plots = [...renderReport(flat).matchAll(/<svg class="curves cost".*?<\/svg><\/figure>/gs)];
  expect(plots.length).toBeGreaterThan(3);
  for (const [plot] of plots) {
    const names = [...plot.matchAll(/<text class="small" x="([\d.-]+)" y="([\d.-]+)" dy="4" text-anchor="(\w+)">([^<]*)</g)].map(([, x, y, anchor, name]) => ({ from: Number(x) - (anchor === 'end' ? 7 * name.length : 0), to: Number(x) + (anchor === 'end' ? 0 : 7 * name.length), y: Number(y), name }));
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter(({ from, to, y }) => from < 0 || to > 420 || y > 202)).toEqual([]);
    expect(names.filter((one, i) => names.slice(i + 1).some((other) => other.from < one.to && other.to > one.from && Math.abs(other.y - one.y) < 11))).toEqual([]);
  }
});
