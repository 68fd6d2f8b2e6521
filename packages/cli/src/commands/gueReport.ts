import { join } from 'node:path';
import { renderCsv, renderLatex, tasks, type ReportTask, type RunRecord } from '@genomelm/gue';
import { simulatedTasks } from '@genomelm/genome-io';
import { list, UsageError, type Command } from '../command';
import { simulatedTask, userTask } from '../data';
import { writeFileAtomic } from '../output';
import { reportInput, resultsJson, resultsText, storedRecords, writeReport } from '../results';

export const gueReport: Command = {
  name: 'gue report',
  summary: 'Make table and page again from stored run records; nothing is run.',
  usage: '[RUNS] [-o report.html] [--csv FILE] [--latex FILE]',
  options: {
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the page (default: report.html in RUNS)' },
    tasks: { type: 'string', value: 'A,B', help: 'JSON files of your own tasks, for their descriptions and lengths' },
    csv: { type: 'string', value: 'FILE', help: 'the scores as comma-separated values too' },
    latex: { type: 'string', value: 'FILE', help: 'the scores as a LaTeX table too (booktabs)' },
  },
  async run(context) {
    const { values, positionals, json, print } = context;
    if (positionals.length > 1) throw new UsageError(`gue report: expected one folder of runs, got ${positionals.join(' ')}`);
    const folder = positionals[0] ?? 'runs';
    const stored = await storedRecords('gue report', folder);
    const known: readonly ReportTask[] = [...tasks, ...simulatedTasks.map(simulatedTask), ...(list(context, 'tasks') ?? []).map(userTask)];
    const own = stored.filter(({ record }) => !known.some(({ name }) => name === record.task)).map(({ record }) => taskOf(record));
    const input = reportInput(stored, [...known.filter(({ name }) => stored.some(({ record }) => record.task === name)), ...new Map(own.map((task) => [task.name, task])).values()]);
    const file = writeReport(input, (values['out'] as string | undefined) ?? join(folder, 'report.html'));
    if (values['csv'] !== undefined) writeFileAtomic(values['csv'] as string, renderCsv(input));
    if (values['latex'] !== undefined) writeFileAtomic(values['latex'] as string, renderLatex(input));
    print(json ? resultsJson(input, file) : resultsText(input, file));
  },
};

/** A task of one's own, as far as a record of it tells. */
const taskOf = ({ task, scores: [{ metric }], data: { testClassCounts } }: RunRecord): ReportTask => ({ name: task, metric, classes: testClassCounts.length });
