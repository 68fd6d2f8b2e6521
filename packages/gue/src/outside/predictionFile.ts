import { FormatError } from '@genomelm/genome-io';
import type { Example, SequenceClassifier } from '../classifier';
import { parseCsv } from '../csv';
import { sha256 } from '../sha256';

/**
 * A model that others ran: its predictions for the test set as comma-separated values, in the order of the test file. Nothing is fitted.
 * Columns, by the header: `prediction` (a class), or `p0`, `p1` … (probabilities of the classes); a column `sequence`, where there is one, has to agree with the test file.
 * @param id - names the model in tables
 * @param text - the file, one row a test item
 * @throws FormatError with the line, where the file and the test set do not fit each other (while predicting)
 */
export async function predictionFile(id: string, text: string): Promise<SequenceClassifier> {
  return {
    id,
    fingerprint: `predictions/1 ${await sha256(text)}`,
    fit: async (_train, _dev, { classes }) => ({ predict: async (examples) => readPredictions(text, id, examples, classes), report: {} }),
  };
}

function readPredictions(text: string, file: string, examples: readonly Example[], classes: number): Float32Array {
  const fail = (expected: string, got: string, line: number, remedy: string): never => {
    throw new FormatError(`predictionFile: expected ${expected}, got ${got} in ${file}, line ${line}; ${remedy}`, { format: 'csv', line });
  };
  const [head, ...rows] = parseCsv(text.replace(/^\uFEFF/, ''), file);
  const names = (head?.fields ?? []).map((name) => name.trim().toLowerCase());
  const columns = Array.from({ length: classes }, (_, k) => names.indexOf(`p${k}`));
  const prediction = names.indexOf('prediction');
  if (prediction < 0 && columns.includes(-1)) fail(`a header with prediction or p0 to p${classes - 1}`, names.join(',') || 'nothing', 1, 'name the columns');
  if (rows.length !== examples.length) fail(`${examples.length} rows, one a test item`, String(rows.length), rows.at(-1)?.line ?? 1, 'write them in the order of the test file');
  const sequence = names.indexOf('sequence');
  const probabilities = new Float32Array(examples.length * classes);
  rows.forEach(({ fields, line }, row) => {
    if (fields.length !== names.length) fail(`${names.length} columns`, String(fields.length), line, 'check for stray commas and cut lines');
    if (sequence >= 0 && fields[sequence].trim().toUpperCase() !== examples[row].sequence.toUpperCase()) fail(`the sequence of test item ${row + 1}`, `${fields[sequence].slice(0, 20)}…`, line, 'keep the order of the test file');
    const values = prediction >= 0 ? oneHot(fields[prediction].trim(), classes) : columns.map((column) => (fields[column].trim() === '' ? NaN : Number(fields[column])));
    if (!values || values.some((value) => !(value >= 0 && value <= 1))) fail(prediction >= 0 ? `a class from 0 to ${classes - 1}` : 'probabilities from 0 to 1', JSON.stringify(prediction >= 0 ? fields[prediction] : fields.join(',')), line, 'apply a softmax to logits');
    probabilities.set(values!, row * classes);
  });
  return probabilities;
}

/** All on one class, or undefined for what is no class. */
export function oneHot(text: string, classes: number): number[] | undefined {
  const label = Number(text);
  return /^\d+$/.test(text) && label < classes ? Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0)) : undefined;
}
