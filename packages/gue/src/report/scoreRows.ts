import { metricName, percent } from './format';
import type { ReportInput } from './input';
import { rowsOf, summarise, type Row, type TaskSummary } from './summary';

/**
 * The scores as comma-separated values (RFC 4180, CRLF), a row for each task and model, baseline or published score. Numbers are on the metric's own scale with all digits; what is unknown is empty.
 * @throws RangeError where records, tasks and aggregates contradict each other
 */
export function renderCsv(input: ReportInput): string {
  const head = ['task', 'simulated', 'metric', 'kind', 'model', 'score', 'low', 'high', 'level', 'seeds', 'items', 'clean_score', 'clean_low', 'clean_high', 'clean_items', 'best_baseline', 'difference', 'difference_low', 'difference_high', 'verdict', 'collapsed_seeds', 'fit_seconds'];
  const rows = summarise(input).tasks.flatMap((task) => [
    ...rowsOf(task).map((row) => [...scoreFields(task, row), ...comparisonFields(row), row.records.filter(({ collapsed }) => collapsed).length, row.records.reduce((sum, { cost }) => sum + cost.fitSeconds, 0) / row.records.length]),
    ...(task.task.published ?? []).map(({ model, score }) => [task.task.name, task.simulated, task.task.metric, 'published', model, score / 100]),
  ]);
  const line = (fields: readonly unknown[]) => `${head.map((_, i) => csvField(fields[i])).join(',')}\r\n`;
  return [line(head), ...rows.map(line)].join('');
}

const scoreFields = ({ task, simulated }: TaskSummary, { kind, model, mean, interval, records, clean }: Row): unknown[] => [
  task.name, simulated, task.metric, kind, model, mean, interval?.low, interval?.high, interval?.level, records.length, records[0].data.sizes.test, clean?.mean, clean?.interval?.low, clean?.interval?.high, clean?.items,
];

const comparisonFields = ({ comparison }: Row): unknown[] => [comparison?.baseline, comparison?.difference, comparison?.interval?.low, comparison?.interval?.high, comparison?.verdict];

/** Quoted where it must be. A text that a spreadsheet would take for a formula gets an apostrophe. */
function csvField(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * The scores as a LaTeX `tabular` for the package booktabs: a row a task, a column for each model and for the best baseline, scores times 100 with their intervals;
 * bold where a model is above the best baseline. Below stands the mean, unless a task is missing.
 * @throws RangeError where records, tasks and aggregates contradict each other
 */
export function renderLatex(input: ReportInput): string {
  const { tasks, models, simulated, intervalHead } = summarise(input);
  const cell = (row: Row | undefined): string => {
    if (!row) return '--';
    const score = row.comparison?.verdict === 'above' ? `\\textbf{${latexNumber(row.mean)}}` : latexNumber(row.mean);
    return row.interval ? `${score} {\\scriptsize [${latexNumber(row.interval.low)}, ${latexNumber(row.interval.high)}]}` : score;
  };
  const clean = (row: Row | undefined): string => (row?.clean ? latexNumber(row.clean.mean) : '--');
  const audited = tasks.some((task) => rowsOf(task).some((row) => row.clean));
  const columns = (row: Row | undefined): string[] => [cell(row), ...(audited ? [clean(row)] : [])];
  const body = tasks.map((task) => [
    `${latexText(task.task.name)}${task.simulated ? ' (simulated)' : ''}`, metricName(task.task.metric), ...models.flatMap((model) => columns(task.models.find((row) => row.model === model))),
    ...columns(task.best?.row), task.best ? latexText(task.best.row.model) : '--',
  ]);
  const meanOf = (values: readonly (number | undefined)[]): string => (values.every((value) => value !== undefined) && values.length ? latexNumber(values.reduce((a, b) => a + b, 0) / values.length) : '--');
  const means = (rows: readonly (Row | undefined)[]): string[] => [meanOf(rows.map((row) => row?.mean)), ...(audited ? [meanOf(rows.map((row) => row?.clean?.mean))] : [])];
  const mean = ['Mean', '', ...models.flatMap((model) => means(tasks.map((task) => task.models.find((row) => row.model === model)))), ...means(tasks.map((task) => task.best?.row)), ''];
  const heads = ['task', 'metric', ...[...models, 'best baseline'].flatMap((name) => [latexText(name), ...(audited ? ['clean'] : [])]), ''];
  const line = (cells: readonly string[]) => `${cells.join(' & ')} \\\\`;
  return [
    `% ${input.title.replace(/\s+/g, ' ')}: times 100, ${intervalHead.replace('%', '\\%')}${audited ? '; clean: without test items that have a near duplicate in train' : ''}${simulated ? '; SIMULATED data' : ''}. Needs booktabs.`,
    `\\begin{tabular}{ll${'r'.repeat(heads.length - 3)}l}`, '\\toprule', line(heads), '\\midrule', ...body.map(line), '\\midrule', line(mean), '\\bottomrule', '\\end{tabular}', '',
  ].join('\n');
}

const latexNumber = (value: number): string => percent(value).replace('\u2212', '$-$');

const latexEscapes: Readonly<Record<string, string>> = { '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}' };

const latexText = (text: string): string => text.replace(/[\\~^&%$#_{}]/g, (letter) => latexEscapes[letter] ?? `\\${letter}`).replace(/\s+/g, ' ');
