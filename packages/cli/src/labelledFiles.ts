// Labelled sequences of a user's own: values with commas or tabs between, and a header.
import { UsageError } from './command';
import { cutFields, separatorOf, sequenceColumns } from './delimited';
import { readUserFile, unpacked } from './userFile';
import type { ClassifierConfig, LabelledSequence } from '@genomelm/model';

export interface LabelledRow {
  readonly sequence: string;
  readonly pair?: string;
  /** As it stands in the file. */
  readonly label: string;
}

/**
 * Columns by name: `sequence` (or `sequence1`, or the first that is not the label), `sequence2` or `pair`, and the label: `label` unless named. A file of three columns without such names is read as sequence, second sequence, label.
 */
export function readLabelled(path: string, labelColumn = 'label'): LabelledRow[] {
  const text = readUserFile(path, (bytes) => unpacked(bytes).toString('utf8'));
  const lines = text.split(/\r\n|\n|\r/);
  while (lines.at(-1) === '') lines.pop();
  const separator = separatorOf(lines[0] ?? '');
  const header = cutFields(lines[0] ?? '', separator);
  const label = header.includes(labelColumn) ? header.indexOf(labelColumn) : -1;
  if (label < 0) throw new UsageError(`${path}: expected a header with the column ${labelColumn}, got ${JSON.stringify((lines[0] ?? '').slice(0, 60))}; name another with --label-column`);
  const named = sequenceColumns(header);
  const sequence = named.sequence >= 0 ? named.sequence : label === 0 ? 1 : 0;
  if (header.length < 2) throw new UsageError(`${path}: expected a column of sequences beside ${labelColumn}, got none; add it`);
  const pair = named.pair >= 0 ? named.pair : header.length === 3 && label === 2 && sequence === 0 ? 1 : undefined;
  return lines.slice(1).map((line, i) => {
    const fields = cutFields(line, separator);
    if (fields.length !== header.length) throw new UsageError(`${path}: line ${i + 2}: expected ${header.length} columns, got ${fields.length}; mend the line`);
    if (fields[sequence] === '' || (pair !== undefined && fields[pair] === '')) throw new UsageError(`${path}: line ${i + 2}: expected a sequence, got nothing; leave the line out`);
    const odd = [sequence, pair].flatMap((at) => (at === undefined ? [] : /[^ACGTURYSWKMBDHVN]/i.exec(fields[at])?.[0] ?? [])).at(0);
    if (odd !== undefined) throw new UsageError(`${path}: line ${i + 2}: expected nucleotide letters as the sequence, got ${JSON.stringify(odd)}; mend the line, or name the columns sequence and ${labelColumn}`);
    return { sequence: fields[sequence], ...(pair === undefined ? {} : { pair: fields[pair] }), label: fields[label] };
  });
}

export type Problem = 'classes' | 'labels' | 'numbers' | 'bases';
export const problems: readonly Problem[] = ['classes', 'labels', 'numbers', 'bases'];

/** The outputs that the labels of train ask for: classes and labels in the order of their names (numbers as numbers). */
export function classifierFor(problem: Problem, train: readonly LabelledRow[]): ClassifierConfig {
  const sorted = (names: Iterable<string>) => [...new Set(names)].sort((a, b) => (Number.isNaN(Number(a)) || Number.isNaN(Number(b)) ? (a < b ? -1 : 1) : Number(a) - Number(b)));
  const level = problem === 'bases' ? 'token' : 'sequence';
  if (problem === 'numbers') return { problemType: 'regression', level, labels: train[0].label.split(';').map((_, i) => `value_${i}`) };
  if (problem === 'labels') return { problemType: 'multi_label_classification', level, labels: sorted(train.flatMap(({ label }) => label.split(';').filter(Boolean))) };
  const labels = sorted(problem === 'bases' ? train.flatMap(({ label }) => [...label].filter((name) => name !== '.')) : train.map(({ label }) => label));
  if (labels.length < 2) throw new UsageError(`finetune: expected at least 2 classes in the labels of train, got ${labels.join(', ')}`);
  return { problemType: 'single_label_classification', level, labels };
}

/** A row's label as numbers. `labels`: names with semicolons between; `numbers`: numbers with semicolons between; `bases`: a letter for each base, a dot where there is no label. */
export function labelledSequences(path: string, rows: readonly LabelledRow[], problem: Problem, { labels }: ClassifierConfig): LabelledSequence[] {
  const refuse = (i: number, expected: string, got: string): never => {
    throw new UsageError(`${path}: line ${i + 2}: expected ${expected}, got ${JSON.stringify(got.slice(0, 40))}`);
  };
  const classOf = (i: number, name: string) => (labels.includes(name) ? labels.indexOf(name) : refuse(i, `a label that train has (${labels.slice(0, 8).join(', ')})`, name));
  return rows.map(({ sequence, pair, label }, i) => {
    const parts = label.split(';').filter(Boolean);
    const targets = {
      classes: () => [label === '' ? refuse(i, 'a label', label) : classOf(i, label)],
      labels: () => { const own = parts.map((name) => classOf(i, name)); return labels.map((_, k) => (own.includes(k) ? 1 : 0)); },
      numbers: () => (parts.length === labels.length ? parts.map((part) => (part.trim() !== '' && Number.isFinite(Number(part)) ? Number(part) : refuse(i, 'a number', part))) : refuse(i, `${labels.length} numbers`, label)),
      bases: () => (label.length === sequence.length ? [...label].map((name) => (name === '.' ? -100 : classOf(i, name))) : refuse(i, `${sequence.length} letters, one for each base`, label)),
    }[problem]();
    return { sequence, ...(pair === undefined ? {} : { pair }), targets };
  });
}
