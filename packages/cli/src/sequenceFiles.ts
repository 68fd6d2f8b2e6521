import { statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { readBytes, readFasta, readFastq } from '@genomelm/genome-io';
import { UsageError } from './command';
import { cutFields, separatorOf } from './delimited';
import { sourceOf } from './genomeFiles';
import { naming } from './userFile';

export interface SequenceRecord {
  readonly id: string;
  readonly sequence: string | Uint8Array;
}

/** Records of FASTA, FASTQ (its qualities unread), CSV (or with tabs) with a `sequence` column, or plain lines (one sequence each); plain or gzip, told apart by content; `-` is stdin. @throws UsageError with the file's name */
export async function* readSequences(path: string): AsyncGenerator<SequenceRecord> {
  try {
    yield* recordsOf(path);
  } catch (error) {
    throw naming(path, error);
  }
}

async function* recordsOf(path: string): AsyncGenerator<SequenceRecord> {
  const { chunks, first } = await peek(path);
  if (first === '>' || first === '@') {
    const source = path === '-' || !statSync(path).isFile() ? Readable.toWeb(Readable.from(chunks)) as ReadableStream<Uint8Array> : path; // threads inflate a file that they can open
    if (source === path) await chunks.return();
    for await (const { name, sequence } of first === '>' ? readFasta(source) : readFastq(source)) yield { id: name, sequence };
    return;
  }
  let column: number | undefined;
  let separator = ',';
  for await (const { text, line } of linesOf(chunks)) {
    if (text === '') continue;
    if (line === 1) separator = separatorOf(text);
    const fields = cutFields(text, separator);
    if (line === 1 && fields.includes('sequence')) {
      column = fields.indexOf('sequence');
      continue;
    }
    if (column === undefined && fields.length > 1) throw new UsageError(`${path}: line ${line}: expected one sequence a line, or a header with the column sequence, got ${JSON.stringify(text.slice(0, 40))}; add the header`);
    if (column === undefined) yield { id: `${line}`, sequence: fields[0] };
    else if (fields.length <= column) throw new UsageError(`${path}: line ${line}: expected ${column + 1} columns or more, got ${fields.length}; mend the line`);
    else yield { id: `${line}`, sequence: fields[column] };
  }
}

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** The lines of a file, plain or gzip; `-` is stdin. @throws UsageError with the file's name */
export async function* readLines(path: string): AsyncGenerator<Line> {
  try {
    yield* linesOf(open(path));
  } catch (error) {
    throw naming(path, error);
  }
}

function open(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  if (path !== '-' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`${path}: expected a file, got a folder; name a file in it`);
  if (path === '-' && (process.stdin.readableEnded || process.stdin.destroyed)) throw new UsageError('expected something on stdin, got its end: it can be read once; write it to a file first');
  return readBytes(sourceOf(path));
}

/** The bytes, and the first of them that is no white space: it tells what they are. */
async function peek(path: string): Promise<{ readonly chunks: AsyncGenerator<Uint8Array, void, undefined>; readonly first: string | undefined }> {
  const rest = open(path);
  const start = (await rest.next()).value ?? new Uint8Array();
  async function* chunks() {
    try {
      yield start;
      yield* rest;
    } finally {
      await rest.return();
    }
  }
  return { chunks: chunks(), first: new TextDecoder().decode(start.subarray(0, 1024)).trimStart().at(0) };
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let [rest, held, line] = ['', '', 0];
  for await (const chunk of chunks) {
    const text = held + decoder.decode(chunk, { stream: true });
    held = text.endsWith('\r') ? '\r' : ''; // at the very end it may be half of a line's end
    const parts = text.slice(0, text.length - held.length).split(/\r\n|\n|\r/);
    parts[0] = rest + parts[0]; // only what is new is looked through, however long a line is
    rest = parts.pop()!;
    for (const part of parts) yield { text: part, line: ++line };
  }
  rest += decoder.decode();
  if (rest !== '' || held !== '') yield { text: rest, line: line + 1 };
}
