import { clock } from './progress';
import { overridden, prepareModel } from './models';
import type { Context } from './command';
import { baselinesFor, seedsOf, type Plan } from './runPlan';
import type { Device } from '@genomelm/kernels';

const probeRows = 256;
const probeSteps = 4;

/** One row for each task and model: what would run, what would be cut, and how long it may take, from a few real steps on this machine. The fits are thrown away. */
export async function dryRun(plan: Plan, device: Device, { json, print, progress, signal }: Context): Promise<void> {
  const rows: { task: string; model: string; train: number; dev: number; test: number; classes: number; tokensPerEpoch: number; truncatedFraction: number; seeds: number; guessedSeconds: number; notes: readonly string[] }[] = [];
  let baselineRuns = 0;
  for (const source of plan.sources) {
    const dataset = await source.load(signal);
    baselineRuns += baselinesFor(plan, dataset).length;
    for (const name of plan.models) for (const protocol of plan.protocols) {
      progress.update({ stage: `probe ${source.name} ${name}` });
      const prepared = await prepareModel(name, { source, dataset, device, tokenizerFile: plan.tokenizerFile, protocol, preset: plan.preset });
      const { classifier, hyperparameters, dispose } = prepared;
      const { train, dev, test } = dataset;
      const seeds = seedsOf(plan, protocol).length;
      let tokensPerSecond = NaN;
      const started = performance.now();
      const fitted = await classifier.fit(train.examples.slice(0, probeRows), dev.examples.slice(0, 16), {
        classes: dataset.classes, hyperparameters: overridden(prepared, { maxSteps: probeSteps }), seed: 0, signal,
        onProgress: (event) => { if (event.kind === 'step') tokensPerSecond = event.tokensPerSecond ?? tokensPerSecond; },
      });
      const fitSeconds = (performance.now() - started) / 1000;
      await fitted.predict(test.examples.map((example) => ({ ...example, label: -1 })));
      const { tokensPerBase = NaN, truncatedFraction = 0 } = fitted.report ?? {};
      await fitted.dispose?.();
      dispose?.();
      const bases = train.examples.reduce((sum, { sequence, pair = '' }) => sum + sequence.length + pair.length, 0);
      const tokensPerEpoch = Math.round(bases * tokensPerBase);
      // Where nothing is trained, the fit is one pass over train.
      const passSeconds = protocol === 'zero-shot' ? (fitSeconds * train.examples.length) / Math.min(probeRows, train.examples.length) : tokensPerEpoch / tokensPerSecond;
      const epochs = protocol === 'zero-shot' ? 1 : Number(plan.hyperparameters['epochs'] ?? 0) || Number(hyperparameters['epochs'] ?? 0) || Math.min(8, Math.max(2, Math.round(4.5e6 / tokensPerEpoch)));
      rows.push({ task: source.name, model: classifier.id, train: train.examples.length, dev: dev.examples.length, test: test.examples.length, classes: dataset.classes, tokensPerEpoch, truncatedFraction, seeds, guessedSeconds: Math.round(seeds * epochs * passSeconds), notes: dataset.notes });
    }
  }
  progress.finish();
  const runs = () => rows.reduce((sum, { seeds }) => sum + seeds, 0) + baselineRuns + plan.sources.length * plan.outside.length;
  if (json) {
    print(`${JSON.stringify({ plan: rows, baselines: plan.baselines, outside: plan.outside.map(({ name }) => name), runs: runs() })}\n`);
    return;
  }
  const table = [['task', 'model', 'train', 'dev', 'test', 'classes', 'tokens/epoch', 'cut', 'seeds', 'about'], ...rows.map((row) => [row.task, row.model, `${row.train}`, `${row.dev}`, `${row.test}`, `${row.classes}`, `${row.tokensPerEpoch}`, `${(100 * row.truncatedFraction).toFixed(1)} %`, `${row.seeds}`, clock(row.guessedSeconds)])];
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  for (const cells of table) print(`${cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ')}\n`);
  for (const note of new Set(rows.flatMap(({ task, notes }) => notes.map((text) => `${task}: ${text}`)))) print(`${note}\n`);
  print(`baselines: ${plan.baselines.join(', ') || 'none'}; outside: ${plan.outside.map(({ name }) => name).join(', ') || 'none'}; ${runs()} runs, in all about ${clock(rows.reduce((sum, { guessedSeconds }) => sum + guessedSeconds, 0))} of training, guessed from ${probeSteps} steps each\n`);
}
