import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { free } from '@genomelm/kernels';
import { isDecoder, predict as predictLabels, type Prediction } from '@genomelm/model';
import { choice, deviceOptions, integer, UsageError, type Command } from '../command';
import { openDevice } from '../devices';
import { withOutput } from '../output';
import { modelAndFiles, modelOptions, openPretrained } from '../pretrained';
import { readSequences } from '../sequenceFiles';

/** Sequences that are encoded and predicted at once: enough to sort by length, little to hold. */
const chunk = 256;

export const predict: Command = {
  name: 'predict',
  summary: 'What a fine-tuned model says of each sequence: its class and the probabilities, or the value of a regression.',
  usage: 'MODEL FILES… (FASTA, CSV with a column sequence, or plain lines)',
  options: {
    ...modelOptions,
    format: { type: 'string', value: 'FORM', help: 'csv (default) or jsonl' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
    pairs: { type: 'boolean', help: 'CSV with the columns sequence1 and sequence2: pairs, as for enhancers and promoters' },
    'max-length': { type: 'string', value: 'N', help: 'cut each record to so many tokens, special ones included' },
    upper: { type: 'boolean', help: 'read lower case (soft-masked) bases as upper case' },
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
      await withOutput(values['out'] as string | undefined, async (output) => {
        let done = 0;
        for (const file of files) {
          let waiting: Named[] = [];
          const flush = async () => {
            const predictions = await predictLabels(model, tokenizer, waiting, { maxLength, signal });
            if (!done && format === 'csv' && predictions.length) await output.write(`${['id', 'label', ...Object.keys(predictions[0].outputs)].map(quote).join(',')}\n`);
            for (const [i, prediction] of predictions.entries()) await output.write(format === 'csv' ? csv(waiting[i].id, prediction) : `${JSON.stringify({ id: waiting[i].id, ...prediction })}\n`);
            progress.update({ stage: 'predict', done: (done += waiting.length), unit: 'sequences' });
            waiting = [];
          };
          for await (const record of values['pairs'] ? readPairs(file) : readSingles(file, values['upper'] === true)) {
            waiting.push(record);
            if (waiting.length === chunk) await flush();
          }
          if (waiting.length) await flush();
        }
      });
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

async function* readSingles(path: string, upper: boolean): AsyncGenerator<Named> {
  for await (const { id, sequence } of readSequences(path)) {
    const text = typeof sequence === 'string' ? sequence : Buffer.from(sequence.buffer, sequence.byteOffset, sequence.byteLength).toString('latin1');
    yield { id, sequence: upper ? text.toUpperCase() : text };
  }
}

async function* readPairs(path: string): AsyncGenerator<Named> {
  let columns: [number, number] | undefined;
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    line++;
    const fields = text.split(',');
    if (!columns) {
      columns = [fields.indexOf('sequence1'), fields.indexOf('sequence2')];
      if (columns.includes(-1)) throw new UsageError(`${path}: line 1: expected the columns sequence1 and sequence2, got ${text.slice(0, 60)}`);
    } else if (text !== '') {
      const [sequence, pair] = columns.map((column) => fields[column]);
      if (!sequence || !pair) throw new UsageError(`${path}: line ${line}: expected two sequences, got ${fields.length} columns`);
      yield { id: `${line}`, sequence, pair };
    }
  }
}

const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const csv = (id: string, { labels, outputs }: Prediction): string => `${[quote(id), quote(labels.join(';')), ...Object.values(outputs).map((value) => Number(value.toPrecision(6)))].join(',')}\n`;
