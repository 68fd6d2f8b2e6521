import { didYouMean, help, isBadInput, parse, sentenceOf, UsageError, type Command } from './command';
import { commands } from './commands';
import { createProgress } from './progress';
import { version } from './version';

/** Exit codes: 0 done, 1 a fault of ours or of the machine, 2 bad input or usage, 130 interrupted, 143 terminated. */
async function main(args: readonly string[]): Promise<number> {
  const asksForHelp = (word: string | undefined): boolean => word === undefined || ['help', '--help', '-h'].includes(word);
  if (args[0] === 'help' && args.length > 1) return main([...args.slice(1), '--help']);
  const group = asksForHelp(args[0]) ? commands : asksForHelp(args[1]) ? commands.filter(({ name }) => name.startsWith(`${args[0]} `)) : [];
  if (group.length) {
    process.stdout.write(overview(group));
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
  let stopped = 0;
  for (const [name, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) { // a second one ends it at once
    process.once(name, () => {
      stopped = code;
      abort.abort(new Error(`stopped by ${name}`));
    });
  }
  try {
    return (await command.run({ values, positionals, json, progress, signal: abort.signal, print: (text) => process.stdout.write(text) })) ?? 0;
  } catch (error) {
    if (stopped) return stopped;
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
  const group = commands.filter(({ name }) => name.startsWith(`${args[0]} `));
  const [got, names] = [args.slice(0, group.length ? 2 : 1).join(' '), (group.length ? group : commands).map(({ name }) => name)];
  throw new UsageError(`expected a command${group.length ? ` of ${args[0]}` : ''}, got ${got}; ${didYouMean(got, names)}see genomelm${group.length ? ` ${args[0]}` : ''} --help`);
}

function overview(group: readonly Command[]): string {
  const width = Math.max(...group.map(({ name }) => name.length)) + 2;
  return ['genomelm COMMAND [options]', '', ...group.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`), '', 'genomelm COMMAND --help says more.', ''].join('\n');
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader has enough: `genomelm … | head`
  throw error;
});
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (isBadInput(error)) {
    process.stderr.write(`genomelm: ${sentenceOf(error)}\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}
