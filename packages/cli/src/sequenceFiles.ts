import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { open } from 'node:fs/promises';
import { readFasta, readFastq } from '@genomelm/genome-io';
import { UsageError } from './command';
import { cutFields, separatorOf } from './delimited';

export interface SequenceRecord {
  readonly id: string;
  readonly sequence: string | Uint8Array;
}

/** Records of FASTA, FASTQ (its qualities unread), CSV (or with tabs) with a `sequence` column, or plain lines (one sequence each); plain or gzip, told apart by content. */
export async function* readSequences(path: string): AsyncGenerator<SequenceRecord> {
  const { gzip, first } = await peek(path);
  if (first === '>' || first === '@') {
    for await (const { name, sequence } of first === '>' ? readFasta(path) : readFastq(path)) yield { id: name, sequence };
    return;
  }
  let column: number | undefined;
  let separator = ',';
  let line = 0;
  for await (const text of createInterface({ input: gzip ? createReadStream(path).pipe(createGunzip()) : createReadStream(path), crlfDelay: Infinity })) {
    line++;
    if (text === '') continue;
    if (line === 1) separator = separatorOf(text);
    const fields = cutFields(text, separator);
    if (line === 1 && fields.includes('sequence')) {
      column = fields.indexOf('sequence');
      continue;
    }
    if (column === undefined && fields.length > 1) throw new UsageError(`${path}: line ${line}: expected one sequence a line, or a header with the column sequence, got ${JSON.stringify(text.slice(0, 40))}; add the header`);
    if (column === undefined) yield { id: `${line}`, sequence: fields[0] };
    else if (fields.length <= column) throw new UsageError(`${path}: line ${line}: expected ${column + 1} columns or more, got ${fields.length}`);
    else yield { id: `${line}`, sequence: fields[column] };
  }
}

async function peek(path: string): Promise<{ gzip: boolean; first: string }> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    if (bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b) {
      for await (const chunk of createReadStream(path).pipe(createGunzip())) return { gzip: true, first: String.fromCharCode((chunk as Buffer)[0]) };
      return { gzip: true, first: '' };
    }
    return { gzip: false, first: bytesRead ? String.fromCharCode(buffer[0]) : '' };
  } finally {
    await file.close();
  }
}
