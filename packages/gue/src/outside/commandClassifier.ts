import type { Example, SequenceClassifier } from '../classifier';
import { oneHot } from './predictionFile';

export interface CommandOptions {
  /** Names the model in tables. */
  readonly id: string;
  /** The program and its arguments; no shell takes part. */
  readonly command: readonly string[];
  /** Changes whenever the predictions could: a version, a hash of the weights. The command itself is always part of the run's identity. */
  readonly fingerprint?: string;
}

/**
 * A model in another language (Node only): a command that reads the test sequences on stdin, one a line (the two of a pair with a tab between), and answers each with a line on stdout:
 * a class, or the probabilities of all classes with commas or blanks between. Nothing is fitted here; the command never sees a label. What it writes to stderr is shown where it fails.
 * @throws RangeError where it cannot be started, ends with another code than 0, or answers with something else than one valid line an item
 */
export function commandClassifier({ id, command, fingerprint = '' }: CommandOptions): SequenceClassifier {
  if (command.length === 0 || command[0] === '') throw new RangeError('commandClassifier: expected a program, got nothing; for example ["python3", "predict.py"]');
  return {
    id,
    fingerprint: `command/1 ${JSON.stringify(command)} ${fingerprint}`,
    fit: async (_train, _dev, { classes, signal }) => ({
      async predict(examples) {
        const lines = (await runCommand(command, examples, signal)).split(/\r?\n/);
        if (lines.at(-1) === '') lines.pop();
        if (lines.length !== examples.length) throw new RangeError(`commandClassifier: expected ${examples.length} lines from ${command[0]}, got ${lines.length}; answer every sequence with one line`);
        return Float32Array.from(lines.flatMap((line, row) => parseLine(line, row, classes, command[0])));
      },
      report: {},
    }),
  };
}

function parseLine(line: string, row: number, classes: number, program: string): number[] {
  const fields = line.trim().split(/[\s,]+/);
  const values = fields.length === 1 ? oneHot(fields[0], classes) : fields.map(Number);
  if (values?.length === classes && values.every((value) => value >= 0 && value <= 1)) return values;
  throw new RangeError(`commandClassifier: expected a class below ${classes} or ${classes} probabilities from ${program}, got ${JSON.stringify(line.slice(0, 60))} on line ${row + 1}; apply a softmax to logits`);
}

/** What the command writes to stdout. */
function runCommand([program, ...rest]: readonly string[], examples: readonly Example[], signal: AbortSignal | undefined): Promise<string> {
  const childProcess = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:child_process');
  if (!childProcess) throw new TypeError('commandClassifier: expected Node, got an environment that runs no commands; use predictionFile');
  return new Promise((resolve, reject) => {
    const child = childProcess.spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'], ...(signal ? { signal } : {}) });
    let [output, complaints] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints = (complaints + chunk).slice(-2000)));
    child.stdin.on('error', () => undefined); // A command that ends without reading everything is judged by its code and its lines.
    child.on('error', (cause) => reject(signal?.aborted ? signal.reason as Error : new RangeError(`commandClassifier: expected a program that starts, got ${cause.message}; check the path of ${program}`, { cause })));
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new RangeError(`commandClassifier: expected ${program} to end with code 0, got ${String(code)}; it wrote: ${complaints.trim().split('\n').at(-1) || 'nothing'}`));
    });
    child.stdin.end(examples.map(({ sequence, pair }) => `${sequence}${pair === undefined ? '' : `\t${pair}`}\n`).join(''));
  });
}
