import { bytes, count, duration, intervalText, magnitude, metricName, percent, share } from './format';
import { plainText } from './html';
import type { ReportInput } from './input';
import { comparisonText, dataNotes, taskFacts, verdictBasis, verdictSentences } from './meaning';
import { average, isComparable, reported, rowsOf, summarise, type Row, type Summary, type TaskSummary } from './summary';

/** What stands in a column, and how it is set. On a narrow terminal the last columns of the list move to a line of their own below each row. */
interface Column {
  readonly head: string;
  readonly right?: boolean;
  text(row: Row, task: TaskSummary): string;
}
interface Columns {
  readonly beside: readonly (Column & { readonly width: number })[];
  readonly below: readonly Column[];
}

const sgr = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
type Paint = (text: string, style: keyof typeof sgr) => string;

/**
 * The scores as text for a terminal: for each task the models and baselines, the published rows below, and the verdict in sentences at the end.
 * @param options.colour - ANSI colours; off unless given. Words carry everything that colours do.
 * @param options.width - columns of the terminal, at least 40; 120 unless given. Where not all columns fit, the last stand below each row.
 * @throws RangeError where records, tasks and aggregates contradict each other.
 */
export function renderTable(input: ReportInput, options: { readonly colour?: boolean; readonly width?: number } = {}): string {
  const { colour = false, width = 120 } = options;
  if (!(width >= 40)) throw new RangeError(`renderTable: expected a width of at least 40 columns, got ${width}; leave it out for 120`);
  const paint: Paint = (text, style) => (colour && text ? `\u001b[${sgr[style]}m${text}\u001b[0m` : text);
  const summary = summarise(input);
  const columns = fitColumns(summary, width);
  const blocks = [
    paint(wrap(`${input.title}${summary.simulated ? ' (simulated data)' : ''}`, width), 'bold'),
    ...summary.tasks.map((task) => taskBlock(task, columns, width, paint)),
    [...verdictSentences(summary), verdictBasis(summary)].map((sentence) => wrap(sentence, width)).join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

const columnsOf = (summary: Summary): readonly Column[] => [
  { head: '', text: (row) => plainText(row.model) },
  { head: 'score', right: true, text: (row) => percent(row.mean) },
  { head: summary.intervalHead, text: (row) => intervalText(row.interval) + (row.intervalOf === 'envelope' ? ' (of single seeds)' : '') },
  { head: 'seeds', right: true, text: (row) => count(row.records.length) },
  { head: 'against the best baseline', text: standing },
  { head: 'homology-clean', right: true, text: ({ clean }) => (clean ? `${percent(clean.mean)} (${count(clean.items)})` : '') },
  { head: 'truncated', right: true, text: (row) => optional(reported(row.records, 'truncatedFraction'), share) },
  { head: 'fit', right: true, text: (row) => duration(average(row.records.map((record) => record.cost.fitSeconds))) },
  { head: 'memory', right: true, text: (row) => bytes(Math.max(...row.records.map((record) => record.cost.peakMemoryBytes))) },
  { head: 'parameters', right: true, text: (row) => optional(reported(row.records, 'parameters'), magnitude) },
  { head: 'tokens per base', right: true, text: (row) => optional(reported(row.records, 'tokensPerBase'), (value) => value.toFixed(2)) },
];

const optional = (value: number | undefined, format: (value: number) => string): string => (value === undefined ? '' : format(value));

function standing(row: Row, task: TaskSummary): string {
  const collapsed = row.kind === 'model' && row.records.some((record) => record.collapsed) ? '; one class only' : '';
  if (row.comparison) return plainText(comparisonText(row.comparison)) + collapsed;
  return (row === task.best?.row ? `best baseline on ${task.best.chosenOn}` : '') + collapsed;
}

/** Columns with their widths over all tasks, so that the blocks stand in line. */
function fitColumns(summary: Summary, width: number): Columns {
  const cells = summary.tasks.flatMap((task) => rowsOf(task).map((row) => ({ row, task })));
  const all = columnsOf(summary).map((column, i) => {
    const needed = Math.max(column.head.length, ...cells.map(({ row, task }) => lengthOf(column.text(row, task))));
    return { ...column, width: i === 0 ? Math.min(needed, 24) : needed };
  }).filter((column, i) => i < 2 || cells.some(({ row, task }) => column.text(row, task)));
  let kept = all.length;
  while (kept > 2 && all.slice(0, kept).reduce((sum, column) => sum + column.width + 2, 0) > width) kept--;
  return { beside: all.slice(0, kept), below: all.slice(kept) };
}

function taskBlock(task: TaskSummary, { beside, below }: Columns, width: number, paint: Paint): string {
  const set = (column: (typeof beside)[number], text: string) => {
    const cut = lengthOf(text) > column.width ? `${[...text].slice(0, column.width - 1).join('')}…` : text;
    const space = ' '.repeat(column.width - lengthOf(cut));
    return column.right ? space + cut : cut + space;
  };
  const line = (textOf: (column: Column) => string) => `  ${beside.map((column) => set(column, textOf(column))).join('  ')}`.trimEnd();
  const colourOf = (row: Row) => (row.comparison ? ({ above: 'green', unclear: undefined, below: 'red' } as const)[row.comparison.verdict] : 'dim');
  const rows = rowsOf(task).map((row) => {
    const style = colourOf(row);
    const more = below.flatMap((column) => (column.text(row, task) ? [`${column.head} ${column.text(row, task)}`] : []));
    const lines = [line((column) => column.text(row, task)), ...(more.length ? [wrap(more.join(', '), width, '      ')] : [])];
    return (style ? lines.map((text) => paint(text, style)) : lines).join('\n');
  });
  const title = wrap(`${plainText(task.task.name)}: ${metricName(task.task.metric)} times 100, ${taskFacts(task)}`, width - (task.simulated ? 13 : 0));
  return [
    paint(title, 'bold') + (task.simulated ? `  ${paint('[simulated]', 'yellow')}` : ''),
    ...(rows.length ? [paint(line((column) => column.head), 'dim'), ...rows] : ['  not run']), ...publishedLines(task, width), ...noteLines(task, width),
  ].join('\n');
}

/** "published, not comparable: DNABERT-2 74.2 (117 M), …". */
const publishedLines = (task: TaskSummary, width: number): readonly string[] => [true, false].flatMap((comparable) => {
  const rows = (task.task.published ?? []).filter((row) => isComparable(row, task) === comparable);
  const names = rows.map(({ model, score, parameters }) => `${plainText(model)} ${percent(score / 100)}${parameters === undefined ? '' : ` (${magnitude(parameters)})`}`);
  return names.length ? [wrap(`${comparable ? 'published' : 'published, not comparable'}: ${names.join(', ')}`, width, '  ')] : [];
});

/** "data: Every dev item has the label 0: nothing can be chosen on it. …". */
const noteLines = (task: TaskSummary, width: number): readonly string[] => (dataNotes(task).length ? [wrap(`data: ${dataNotes(task).join(' ')}`, width, '  ')] : []);

const lengthOf = (text: string): number => [...text].length;

/** Words on lines of at most `width`; an overlong word stands alone. */
function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  for (const word of plainText(text).split(' ')) {
    const last = lines[lines.length - 1];
    if (last !== undefined && lengthOf(`${last} ${word}`) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length ? `${indent}  ${word}` : `${indent}${word}`);
  }
  return lines.join('\n');
}
