import { help, isBadInput, parse, UsageError, type Command } from './command';
import { commands } from './commands';
import { createProgress } from './progress';
import { version } from './version';

/** Exit codes: 0 done, 1 a fault of ours or of the machine, 2 bad input or usage, 130 interrupted. */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 0 || ['help', '--help', '-h'].includes(args[0])) {
    process.stdout.write(overview());
    return 0;
  }
  if (args[0] === '--version') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const { command, rest } = find(args);
  const { values, positionals } = parse(command, rest);
  if (values['help']) {
    process.stdout.write(help(command));
    return 0;
  }
  const json = values['json'] === true;
  const progress = createProgress(process.stderr, { json });
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('interrupted')));
  try {
    return (await command.run({ values, positionals, json, progress, signal: abort.signal, print: (text) => process.stdout.write(text) })) ?? 0;
  } catch (error) {
    if (abort.signal.aborted) return 130;
    throw error;
  } finally {
    progress.finish();
  }
}

function find(args: readonly string[]): { command: Command; rest: readonly string[] } {
  for (const words of [3, 2, 1]) {
    const command = commands.find(({ name }) => name === args.slice(0, words).join(' '));
    if (command) return { command, rest: args.slice(words) };
  }
  throw new UsageError(`genomelm: expected one of ${commands.map(({ name }) => name).join(', ')}, got ${args[0]}; see genomelm --help`);
}

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return ['genomelm COMMAND [options]', '', ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`), '', 'genomelm COMMAND --help says more.', ''].join('\n');
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader has enough: `genomelm … | head`
  throw error;
});
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (isBadInput(error)) {
    process.stderr.write(`genomelm: ${error.message.replace(/\s*\n\s*/g, ' ')}\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}
