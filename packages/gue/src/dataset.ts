import { FormatError } from '@genomelm/genome-io';
import type { Example } from './classifier';
import { parseCsv } from './csv';
import { sha256 } from './sha256';
import { splits, type Split, type Task } from './task';

/** One split of a task's data, checked. */
export interface DatasetSplit {
  /** In the order of the file. */
  readonly examples: readonly Example[];
  /** Of the uncompressed bytes. */
  readonly sha256: string;
  /** `[classes]` */
  readonly classCounts: readonly number[];
  readonly shortest: number;
  /** In bases; of a pair, both together. */
  readonly longest: number;
  /** Items with letters other than A, C, G, T in either case. */
  readonly ambiguousItems: number;
  /** Items with lower-case letters. */
  readonly lowerCaseItems: number;
}

export interface Dataset extends Readonly<Record<Split, DatasetSplit>> {
  /** Name of the task. */
  readonly task: string;
  /** The data come from a simulator; every table and page says so. */
  readonly simulated: boolean;
  readonly classes: number;
  /** What differs from the task's row, in sentences. Nothing is mended. */
  readonly notes: readonly string[];
}

export interface DatasetOptions {
  readonly simulated?: boolean;
  /** Names of the files in errors; `train.csv` and so on unless given. */
  readonly files?: Readonly<Record<Split, string>>;
}

/** The parts of a task that reading its data takes. */
export type DatasetTask = Pick<Task, 'name' | 'benchmark' | 'classes' | 'pair' | 'declaredSizes' | 'sha256' | 'devEvery'>;

type Contents = Readonly<Record<'train' | 'test', string | Uint8Array>> & { readonly dev?: string | Uint8Array };

/**
 * Checks the three splits of a task. Works wherever JavaScript does; {@link loadDataset} reads the files.
 * @param contents - text or UTF-8 bytes of each CSV file, uncompressed: a header, then a row `sequence,label` (for pairs with a second sequence between them, or with both in one column as `A|B`). `dev` may be missing where the task says how to hold it out.
 */
export async function parseDataset(task: DatasetTask, contents: Contents, options: DatasetOptions = {}): Promise<Dataset> {
  const files = options.files ?? { train: 'train.csv', dev: 'dev.csv', test: 'test.csv' };
  const parsed = {} as Record<Split, { examples: Example[]; sha256: string }>;
  let classes = task.benchmark === 'GUE+' ? undefined : task.classes;
  for (const split of splits) {
    const content = contents[split];
    if (content === undefined && split === 'dev' && task.devEvery) {
      parsed.dev = await holdOut(parsed.train, task.devEvery);
      parsed.train = { ...parsed.train, examples: parsed.train.examples.filter((_, row) => !isHeldOut(row, task.devEvery!)) };
      continue;
    }
    if (content === undefined) throw new FormatError(`parseDataset: expected the ${split} split of ${task.name}, got nothing; pass train, dev and test`, { format: 'csv' });
    const examples = parseExamples(decode(content, files[split]), files[split], task, classes);
    // GUE+ names its species sets by numbers that the files contradict: there the training file decides.
    classes ??= 1 + examples.reduce((largest, { label }) => Math.max(largest, label), 0);
    parsed[split] = { examples, sha256: await sha256(content) };
  }
  const summary = (split: Split): DatasetSplit => ({ ...parsed[split], ...describe(parsed[split].examples, classes!) });
  const dataset = { train: summary('train'), dev: summary('dev'), test: summary('test') };
  return { task: task.name, simulated: options.simulated ?? false, classes: classes!, ...dataset, notes: differences(task, dataset, classes!, options.simulated ?? false, contents.dev === undefined) };
}

const isHeldOut = (row: number, every: number): boolean => row % every === every - 1;

/** A development set from the training rows; its hash is that of the training file and the rule. */
async function holdOut({ examples, sha256: trainSha256 }: { examples: Example[]; sha256: string }, every: number): Promise<{ examples: Example[]; sha256: string }> {
  return { examples: examples.filter((_, row) => isHeldOut(row, every)), sha256: await sha256(`every ${every}th row of ${trainSha256}`) };
}

function decode(content: string | Uint8Array, file: string): string {
  const text = typeof content === 'string' ? content.replace(/^\uFEFF/, '') : decodeUtf8(content, file);
  if (text.trim() === '') throw new FormatError(`parseDataset: expected a header and rows in ${file}, got an empty file; fetch it again`, { format: 'csv', line: 1 });
  return text;
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`parseDataset: expected UTF-8 text in ${file}, got other bytes; convert or decompress the file first`, { format: 'csv', cause });
  }
}

function parseExamples(text: string, file: string, task: DatasetTask, classes: number | undefined): Example[] {
  const columns = task.pair ? 3 : 2;
  const fail = (expected: string, got: string, line: number, remedy: string): never => {
    throw new FormatError(`parseDataset: expected ${expected}, got ${got} in ${file}, line ${line}; ${remedy}`, { format: 'csv', line });
  };
  const examples: Example[] = [];
  let header = true;
  for (const { fields: written, line } of parseCsv(text, file)) {
    const fields = task.pair && written.length === 2 ? splitPair(written, header) : written;
    if (fields.length !== columns)
      fail(`${columns} columns (${task.pair ? 'two sequences, or both with | between them, and a label' : 'sequence,label'})`, String(fields.length), line, 'check for stray commas and cut lines');
    const label = fields[columns - 1].trim();
    if (header) {
      header = false;
      if (/^\d+$/.test(label)) fail('a header such as sequence,label', `a row with label ${label}`, line, 'add the header line, or the first item would be lost');
      continue;
    }
    if (!/^\d+$/.test(label)) fail('an integer label', JSON.stringify(label), line, 'number the classes from 0');
    if (classes !== undefined && Number(label) >= classes) fail(`a label from 0 to ${classes - 1}`, label, line, `${task.name} has ${classes} classes; check that the file belongs to the task`);
    if (Number(label) >= 4096) fail('a label below 4096', label, line, 'number the classes from 0');
    const sequences = fields.slice(0, -1).map((field) => field.trim());
    for (const sequence of sequences) {
      if (sequence === '') fail('a sequence', 'nothing', line, 'remove the row or fill it in');
      const odd = sequence.search(/[^ACGTURYSWKMBDHVN]/i);
      if (odd >= 0) fail('IUPAC nucleotide letters', `${JSON.stringify(sequence[odd])} at position ${odd + 1} of a sequence`, line, 'mask what is unknown with N');
    }
    examples.push({ sequence: sequences[0], ...(task.pair ? { pair: sequences[1] } : {}), label: Number(label) });
  }
  if (examples.length === 0) throw new FormatError(`parseDataset: expected rows below the header in ${file}, got none; fetch the file again`, { format: 'csv', line: 2 });
  return examples;
}

/** Copies on the Hugging Face hub write both sequences of a pair into one column, with `|` between them. */
const splitPair = ([sequences, label]: readonly string[], header: boolean): readonly string[] => [...(header ? [sequences, ''] : sequences.split('|')), label];

function describe(examples: readonly Example[], classes: number): Omit<DatasetSplit, 'examples' | 'sha256'> {
  const classCounts = new Array<number>(classes).fill(0);
  let [shortest, longest, ambiguousItems, lowerCaseItems] = [Infinity, 0, 0, 0];
  for (const { sequence, pair = '', label } of examples) {
    const length = sequence.length + pair.length;
    classCounts[label]++;
    shortest = Math.min(shortest, length);
    longest = Math.max(longest, length);
    if (/[^ACGT]/i.test(sequence) || /[^ACGT]/i.test(pair)) ambiguousItems++;
    if (/[a-z]/.test(sequence) || /[a-z]/.test(pair)) lowerCaseItems++;
  }
  return { classCounts, shortest, longest, ambiguousItems, lowerCaseItems };
}

function differences(task: DatasetTask, dataset: Readonly<Record<Split, DatasetSplit>>, classes: number, simulated: boolean, heldOut: boolean): string[] {
  const notes: string[] = [];
  if (classes !== task.classes) notes.push(`The training file holds ${classes} classes; known copies hold ${task.classes}.`);
  if (heldOut) notes.push(`There is no development file: every ${task.devEvery}th training row was held out.`);
  const empty = dataset.train.classCounts.flatMap((count, label) => (count === 0 ? [label] : []));
  if (empty.length > 0) notes.push(`No training item has the label ${empty.join(', ')}.`);
  for (const split of splits) {
    const { examples, ambiguousItems, lowerCaseItems } = dataset[split];
    const rows = examples.length + (heldOut && split === 'train' ? dataset.dev.examples.length : 0);
    const declared = task.declaredSizes?.[split];
    if (declared !== undefined && declared !== rows && !simulated) notes.push(`The ${split} split has ${rows} rows; the distributed file has ${declared}.`);
    const known = task.sha256?.[split];
    if (known !== undefined && known !== dataset[split].sha256 && !simulated) notes.push(`The ${split} file is another one than the known: its sha256 begins with ${dataset[split].sha256.slice(0, 12)}, that one's with ${known.slice(0, 12)}.`);
    const held = dataset[split].classCounts.flatMap((count, label) => (count > 0 ? [label] : []));
    if (held.length === 1 && examples.length > 1 && split !== 'train') notes.push(`Every ${split} item has the label ${held[0]}: MCC on it is 0 whatever is predicted${split === 'dev' ? ', so that nothing can be chosen by it' : ''}.`);
    if (ambiguousItems > 0) notes.push(`${ambiguousItems} of ${examples.length} ${split} items hold letters other than A, C, G and T.`);
    if (lowerCaseItems > 0) notes.push(`${lowerCaseItems} of ${examples.length} ${split} items hold lower-case letters.`);
  }
  return notes;
}
