import { Readable } from 'node:stream';
import { openFasta, openRandomAccess, openTwoBit, parseAliases, readBytes, type ByteSource, type ContigAliases, type FastaFileOptions, type SequenceFile } from '@genomelm/genome-io';
import { integer, UsageError, type Context, type OptionSpec } from './command';
import { naming, readUserFile } from './userFile';

/** A path or address, or `-` for stdin. */
export const sourceOf = (path: string): ByteSource => (path === '-' ? (Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>) : path);

/** What a reader finds in a file; what it refuses is told with the file's name. */
export async function* named<T>(path: string, records: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* records;
  } catch (error) {
    throw naming(path, error);
  }
}

/** Of commands that read whole files. */
export const threadsOption: OptionSpec = { type: 'string', value: 'N', help: 'threads that decompress bgzipped files (default: cores, at most 4)' };

/** What `--threads` and an interrupt mean to a reader. */
export const reading = (context: Context) => ({ signal: context.signal, ...(context.values['threads'] === undefined ? {} : { threads: integer(context, 'threads', 1, { max: 64 }) }) });

/** The only operand of a command. */
export function onlyFile({ positionals }: Pick<Context, 'positionals'>, command: string, what: string): string {
  if (positionals.length !== 1) throw new UsageError(`${command}: expected one ${what}, got ${positionals.length}; see genomelm ${command} --help`);
  return positionals[0];
}

/** A required option. */
export function required({ values }: Pick<Context, 'values'>, command: string, name: string, what: string): string {
  const value = values[name];
  if (typeof value !== 'string' || value === '') throw new UsageError(`${command}: expected --${name} with ${what}, got none; see genomelm ${command} --help`);
  return value;
}

export const aliasesOption: OptionSpec = { type: 'string', value: 'FILE', help: 'names of contigs: two columns, the second what the reference calls them' };

export function loadAliases({ values }: Pick<Context, 'values'>): { aliases?: ContigAliases } {
  return typeof values['aliases'] === 'string' ? { aliases: readUserFile(values['aliases'], (contents) => parseAliases(contents.toString('utf8'))) } : {};
}

/** What the library advises, as options. */
const remedies = [[/pass aliases|see contigs\(\)/, 'pass --aliases FILE, whose second column is what the reference calls them'], [/pass \{clamp: true\}/, 'pass --clamp']] as const;

/** Runs `body`; where contigs do not meet, or a region reaches beyond its own, the error names the option that helps. */
export async function namingAliases<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const [said, option] = (error instanceof RangeError ? remedies.find(([pattern]) => pattern.test(error.message)) : undefined) ?? [];
    if (!said) throw error;
    throw new UsageError((error as RangeError).message.replace(said, option!), { cause: error });
  }
}

/** An indexed FASTA (an index beside it is used, else made in memory) or 2bit file, told apart by its first bytes. Plain gzip, as archives have genomes, cannot be entered in the middle: it is read whole into memory. */
export async function openSequences(path: string, options: FastaFileOptions = {}): Promise<SequenceFile> {
  if (path === '-') throw new UsageError('expected a file that can be read at any place, got stdin; write it to a file first');
  const file = openRandomAccess(path);
  try {
    const head = Buffer.from(await file.read(18, 0));
    const isTwoBit = ['1a412743', '4327411a'].includes(head.toString('hex', 0, 4)), isBgzf = head[12] === 66 && head[13] === 67;
    const opened = isTwoBit ? openTwoBit(path) : head[0] === 31 && head[1] === 139 && !isBgzf ? openFasta(await readWholeGzip(path, options)) : openFasta(path, options);
    await opened.contigs(); // what is wrong with the file shows here, and is told with its name
    return opened;
  } catch (error) {
    throw naming(path, error);
  } finally {
    await file.close();
  }
}

async function readWholeGzip(path: string, options: FastaFileOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBytes(path, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A FASTA record with lines of `width` bases; 0 for a single line. */
export function fastaRecord(name: string, sequence: Uint8Array, width: number): Uint8Array {
  const header = Buffer.from(`>${name}\n`);
  const step = width === 0 ? Math.max(1, sequence.length) : width;
  const lines = Math.ceil(sequence.length / step);
  const record = new Uint8Array(header.length + sequence.length + lines);
  record.set(header);
  let at = header.length;
  for (let from = 0; from < sequence.length; from += step) {
    const line = sequence.subarray(from, from + step);
    record.set(line, at);
    at += line.length;
    record[at++] = 10;
  }
  return record;
}

export const widthOption: OptionSpec = { type: 'string', value: 'N', help: 'bases a line (default 60; 0 for one line)' };

/** `contig`, `contig:start-end`, `contig:start-`, `contig:position` as samtools has them: 1-based, both ends in. */
export function parseRegion(command: string, text: string, known: ReadonlySet<string>): { contig: string; start: number; end?: number | undefined } {
  const match = known.has(text) ? null : /^(.+):([\d,]+)(-([\d,]*))?$/.exec(text);
  if (!match) return { contig: text, start: 0 };
  const [, contig, from, dash, to] = match;
  const number = (digits: string) => Number(digits.replaceAll(',', ''));
  const start = number(from) - 1;
  if (start < 0) throw new UsageError(`${command}: expected a region from 1, got ${text}; positions on the command line are 1-based`);
  return { contig, start, end: dash === undefined ? start + 1 : to ? number(to) : undefined };
}
