import { join } from 'node:path';
import { evaluate, openRunStore, runIdentity, type EvaluateOptions, type RunRecord } from '@genomelm/gue';
import { deviceOptions, list, UsageError, type Command } from '../command';
import { dataDirectory, dataOption, openSources } from '../data';
import { openDevice } from '../devices';
import { prepareFolder, textTable } from '../output';
import { baselineRequest } from '../runRequests';
import { allBaselines, baselineNames } from './baselineNames';

export const gueBaseline: Command = {
  name: 'gue baseline',
  summary: 'Score the conventional baselines: fitted on train, chosen on dev, scored once on test.',
  usage: '[--data DIR] [--tasks a,b] [--baselines kmer,onehot]',
  options: {
    data: dataOption,
    tasks: { type: 'string', value: 'A,B', help: 'task names (default: all that the data have in full)' },
    baselines: { type: 'string', value: 'A,B', help: `of ${allBaselines.join(', ')} (default: all but cnn)` },
    out: { type: 'string', short: 'o', value: 'DIR', help: 'keep run records there, as gue run does, and take from it what is there' },
    ...deviceOptions,
  },
  async run(context) {
    const { values, positionals, json, print, progress, signal } = context;
    if (positionals.length) throw new UsageError(`gue baseline: expected options only, got ${positionals[0]}`);
    const names = baselineNames(context, allBaselines.filter((name) => name !== 'cnn'));
    const store = values['out'] === undefined ? undefined : openRunStore(join(values['out'] as string, 'records'));
    if (typeof values['out'] === 'string') prepareFolder(values['out']);
    const results: Row[] = [];
    const device = await openDevice(context);
    try {
      for (const source of await openSources(dataDirectory(values['data'] as string | undefined), list(context, 'tasks'))) {
        const dataset = await source.load(signal);
        for (const name of names) {
          const stage = `${source.name} ${name}`;
          progress.update({ stage });
          const request: EvaluateOptions = { ...baselineRequest(name, { source, dataset, device }), signal, onProgress: (event) => progress.update({ stage, ...event }) };
          const record = store ? await store.readOrRun(runIdentity(request), () => evaluate(request)) : await evaluate(request);
          results.push(resultOf(record, name));
        }
      }
    } finally {
      await device.destroy();
    }
    progress.finish();
    print(json ? `${JSON.stringify({ results })}\n` : text(results));
  },
};

type Row = ReturnType<typeof resultOf>;

/** MCC always; the task's own metric too where it is another one. */
function resultOf({ task, simulated, scores, report, collapsed, cost, data }: RunRecord, baseline: string) {
  const score = (metric: string) => scores.find((each) => each.metric === metric)!;
  const { value, interval, items } = score('mcc');
  const [own] = scores;
  return {
    task, baseline, mcc: value, interval: [interval!.low, interval!.high], ...(own.metric === 'mcc' ? {} : { [own.metric]: own.value, [`${own.metric}Interval`]: [own.interval!.low, own.interval!.high] }),
    metric: own.metric, simulated, items, testClassCounts: data.testClassCounts, collapsed, report, fitSeconds: cost.fitSeconds,
  };
}

function text(results: readonly Row[]): string {
  const rows = results.map(({ task, baseline, mcc, interval: [low, high], simulated, report, fitSeconds }) => [
    task + (simulated ? ' [simulated]' : ''), baseline, (100 * mcc).toFixed(1), `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`, report['devScore'] === undefined ? '' : (100 * report['devScore']).toFixed(1), `${fitSeconds.toFixed(1)} s`,
  ]);
  return textTable([['task', 'baseline', 'MCC × 100', '95 % interval', 'on dev', 'fit'], ...rows]);
}
