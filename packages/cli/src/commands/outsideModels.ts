import { readFileSync } from 'node:fs';
import { commandClassifier, predictionFile, type SequenceClassifier } from '@genomelm/gue';
import { UsageError, type Context } from '../command';

/** A model that is not ours: a program, or a file with its predictions. */
export interface OutsideModel {
  readonly name: string;
  /** As typed behind the name. */
  readonly source: string;
  /** `{task}` in the source stands for the task's name. */
  classifierFor(task: string): Promise<SequenceClassifier>;
}

/** `--outside "name=predictions/{task}.csv; other=python3 predict.py {task}"`. */
export function outsideModels({ values }: Pick<Context, 'values'>): OutsideModel[] {
  const entries = ((values['outside'] as string | undefined) ?? '').split(';').map((entry) => entry.trim()).filter(Boolean);
  return entries.map((entry) => {
    const [, name, source] = /^([^=\s]+)\s*=\s*(.+)$/.exec(entry) ?? [];
    if (!name || !source) throw new UsageError(`--outside: expected NAME=FILE.csv or NAME=PROGRAM ARGUMENTS, got ${entry}`);
    return {
      name, source,
      async classifierFor(task) {
        const filled = source.replaceAll('{task}', task);
        if (!/\.csv$/i.test(filled)) return commandClassifier({ id: name, command: filled.split(/\s+/) });
        try {
          return await predictionFile(name, readFileSync(filled, 'utf8'));
        } catch (cause) {
          throw new UsageError(`--outside: expected predictions of ${name} for ${task}, got ${(cause as Error).message}`, { cause });
        }
      },
    };
  });
}
