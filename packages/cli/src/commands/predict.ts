import { free } from '@genomelm/kernels';
import { isDecoder, predict as predictLabels, predictBases, type AnyModel, type PredictOptions } from '@genomelm/model';
import { choice, deviceOptions, integer, UsageError, type Command } from '../command';
import { cutFields, separatorOf, sequenceColumns } from '../delimited';
import { openDevice } from '../devices';
import { withOutput } from '../output';
import { countUnknown, modelAndFiles, modelOptions, openPretrained } from '../pretrained';
import { readLines, readSequences } from '../sequenceFiles';
import type { Tokenizer } from '@genomelm/tokenizer';

/** Sequences that are encoded and predicted at once: enough to sort by length, little to hold. */
const chunk = 256;

export const predict: Command = {
  name: 'predict',
  summary: 'What a fine-tuned model says of each sequence: its class and the probabilities, or the value of a regression; of a model of bases, the class of each base.',
  usage: 'MODEL FILES… (FASTA, CSV with a column sequence, or plain lines)',
  options: {
    ...modelOptions,
    format: { type: 'string', value: 'FORM', help: 'csv (default) or jsonl' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
    pairs: { type: 'boolean', help: 'CSV or TSV with the columns sequence (or sequence1) and sequence2 (or pair): pairs, as for enhancers and promoters' },
    'max-length': { type: 'string', value: 'N', help: 'cut each record to so many tokens, special ones included' },
    ...deviceOptions,
  },
  async run(context) {
    const { values, json, signal, progress } = context;
    const { name, files } = modelAndFiles(context, 'predict');
    const format = choice(context, 'format', ['csv', 'jsonl'], json ? 'jsonl' : 'csv');
    const maxLength = values['max-length'] === undefined ? undefined : integer(context, 'max-length', 0);
    const device = await openDevice(context);
    try {
      const { model, tokenizer } = await openPretrained(context, name, device);
      if (!(isDecoder(model) ? model.params.score : model.params.classifier)) throw new UsageError(`predict: expected a model with a classifier, got none in ${name}; fine-tune one with genomelm finetune`);
      const counted = countUnknown(tokenizer);
      const ofBases = model.config.classifier?.level === 'token';
      if (ofBases && values['pairs']) throw new UsageError(`--pairs: expected a classifier of sequences, got one of bases in ${name}; leave it out`);
      const rowsOf = ofBases ? baseRows : sequenceRows;
      await withOutput(values['out'] as string | undefined, async (output) => {
        let [done, cut] = [0, 0];
        for (const file of files) {
          let waiting: Named[] = [];
          const flush = async () => {
            const { columns, rows, truncated } = await rowsOf(model, counted.tokenizer, waiting, { maxLength, signal });
            if (!done && format === 'csv') await output.write(csv(columns));
            for (const { fields, line } of rows) await output.write(format === 'csv' ? fields.map(csv).join('') : `${JSON.stringify(line)}\n`);
            progress.update({ stage: 'predict', done: (done += waiting.length), unit: 'sequences' });
            cut += truncated;
            waiting = [];
          };
          for await (const record of (values['pairs'] ? readPairs : readSingles)(file)) {
            waiting.push(record);
            if (waiting.length === chunk) await flush();
          }
          if (waiting.length) await flush();
        }
        if (done === 0) throw new UsageError(`predict: expected sequences, got none in ${files.join(', ')}; check the files`);
        if (cut) process.stderr.write(`genomelm: ${cut} of ${done} sequences are longer than ${maxLength === undefined ? 'the model takes' : '--max-length'} and were cut; what is predicted is that of their beginnings\n`);
      });
      counted.tell();
      free(model.params);
    } finally {
      progress.finish();
      await device.destroy();
    }
  },
};

interface Named {
  readonly id: string;
  readonly sequence: string;
  readonly pair?: string;
}

type Field = string | number;

/** What is written of some sequences: names of the columns, and of each sequence its lines of CSV and its line of JSON. */
interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly fields: readonly (readonly Field[])[]; readonly line: object }[];
  /** How many of the sequences were cut. */
  readonly truncated: number;
}

async function sequenceRows(model: AnyModel, tokenizer: Tokenizer, records: readonly Named[], options: PredictOptions): Promise<Rows> {
  const predictions = await predictLabels(model, tokenizer, records, options);
  return {
    columns: ['id', 'label', ...Object.keys(predictions[0].outputs)],
    rows: predictions.map((prediction, i) => ({ fields: [[records[i].id, prediction.labels.join(';'), ...Object.values(prediction.outputs)]], line: { id: records[i].id, ...prediction } })),
    truncated: predictions.filter((prediction) => prediction.truncated).length,
  };
}

/** A line of CSV for each base, from 1; bases that no token covers are left out. */
async function baseRows(model: AnyModel, tokenizer: Tokenizer, records: readonly Named[], options: PredictOptions): Promise<Rows> {
  const predictions = await predictBases(model, tokenizer, records.map(({ sequence }) => sequence), options);
  const names = Object.keys(predictions[0].outputs);
  return {
    columns: ['id', 'position', 'label', ...names],
    rows: predictions.map(({ labels, outputs }, i) => ({
      fields: labels.flatMap((label, base) => (label === null ? [] : [[records[i].id, base + 1, label, ...names.map((name) => outputs[name][base])]])),
      line: { id: records[i].id, labels, outputs: Object.fromEntries(names.map((name) => [name, Array.from(outputs[name])])) },
    })),
    truncated: predictions.filter(({ labels }, i) => labels.length > 0 && labels.at(-1) === null && records[i].sequence.at(-1)?.trim() !== '').length,
  };
}

async function* readSingles(path: string): AsyncGenerator<Named> {
  for await (const { id, sequence } of readSequences(path)) {
    yield { id, sequence: typeof sequence === 'string' ? sequence : Buffer.from(sequence.buffer, sequence.byteOffset, sequence.byteLength).toString('latin1') };
  }
}

async function* readPairs(path: string): AsyncGenerator<Named> {
  let columns: readonly [number, number] | undefined;
  let separator = ',';
  for await (const { text, line } of readLines(path)) {
    if (line === 1) separator = separatorOf(text);
    const fields = cutFields(text, separator);
    if (!columns) {
      const { sequence, pair } = sequenceColumns(fields);
      columns = [sequence, pair];
      if (columns.includes(-1)) throw new UsageError(`${path}: line 1: expected the columns sequence and sequence2, got ${JSON.stringify(text.slice(0, 60))}; add the header`);
    } else if (text !== '') {
      const [sequence, pair] = columns.map((column) => fields[column]);
      if (!sequence || !pair) throw new UsageError(`${path}: line ${line}: expected two sequences, got ${fields.length} columns; mend the line`);
      yield { id: `${line}`, sequence, pair };
    }
  }
}

const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const csv = (fields: readonly Field[]): string => `${fields.map((field) => (typeof field === 'string' ? quote(field) : Number(field.toPrecision(6)))).join(',')}\n`;
