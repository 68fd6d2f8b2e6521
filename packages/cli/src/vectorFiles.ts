// Rows of float32 that grow on disk while they are computed, and become a file of npy, safetensors or CSV when they are all there.
import { appendFileSync, closeSync, createReadStream, existsSync, openSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { UsageError } from './command';
import { lock } from './lock';

export const vectorFormats = ['npy', 'safetensors', 'csv'] as const;
export type VectorFormat = (typeof vectorFormats)[number];

export interface VectorFile {
  /** Rows that an interrupted run has left. */
  readonly stored: number;
  append(ids: readonly string[], rows: readonly Float32Array[]): void;
  /** The file appears under its name, whole; what was beside it is gone. Names of the rows go to `FILE.ids.txt`, but for CSV, which holds them. */
  finish(): Promise<void>;
  /** After a failure: rows are kept for the same command to go on from; without any, nothing is left. */
  abandon(): void;
}

/**
 * Opens what an interrupted run with the same request has left, or begins.
 * @param shape - of one row
 * @param step - rows are kept in multiples of it: what is computed together stays together
 * @throws UsageError where another request has left rows
 */
export function openVectors(path: string, format: VectorFormat, { request, shape, step }: { readonly request: object; readonly shape: readonly number[]; readonly step: number }): VectorFile {
  const [data, names, key] = [`${path}.partial`, `${path}.partial.ids`, `${JSON.stringify(request)}\n`];
  const width = shape.reduce((product, axis) => product * axis, 1);
  let ids: string[] = [];
  const release = lock(path);
  const left = existsSync(names) && existsSync(data) && statSync(data).size > 0;
  if (left) {
    const text = readFileSync(names, 'utf8');
    if (!text.startsWith(key)) throw new UsageError(`${path}: expected what an interrupted run of this command left, got that of another one in ${names}; finish it, or remove ${names} and ${data}`);
    const whole = text.slice(key.length, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1);
    const rows = Math.min(whole.length, Math.floor(statSync(data).size / (4 * width)));
    ids = whole.slice(0, rows - (rows % step)).map((line) => JSON.parse(line) as string);
    truncateSync(data, 4 * width * ids.length);
    writeFileSync(names, key + ids.map((id) => `${JSON.stringify(id)}\n`).join(''));
  } else {
    writeFileSync(names, key);
    writeFileSync(data, '');
  }
  const stored = ids.length;
  return {
    stored,
    append(more, rows) {
      const bytes = Buffer.alloc(4 * width * rows.length);
      rows.forEach((row, i) => row.forEach((value, at) => bytes.writeFloatLE(value, 4 * (i * width + at))));
      appendFileSync(data, bytes);
      appendFileSync(names, more.map((id) => `${JSON.stringify(id)}\n`).join(''));
      ids.push(...more);
    },
    async finish() {
      const beside = `${path}.${process.pid}.partial`;
      const file = openSync(beside, 'w');
      try {
        writeSync(file, headerOf(format, [ids.length, ...shape]));
        let row = 0;
        for await (const bytes of rowsOf(data, 4 * width)) writeSync(file, format === 'csv' ? csvRow(ids[row++], bytes) : bytes);
      } catch (error) {
        rmSync(beside, { force: true });
        throw error;
      } finally {
        closeSync(file);
      }
      if (format !== 'csv') writeFileSync(`${path}.ids.txt`, ids.map((id) => `${id}\n`).join(''));
      renameSync(beside, path);
      rmSync(data);
      rmSync(names);
      release();
    },
    abandon() {
      release();
      if (ids.length) return;
      rmSync(data, { force: true });
      rmSync(names, { force: true });
    },
  };
}

async function* rowsOf(path: string, rowBytes: number): AsyncGenerator<Buffer> {
  let left: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes: Buffer = Buffer.concat([left, chunk as Buffer]);
    const whole = bytes.length - (bytes.length % rowBytes);
    for (let at = 0; at < whole; at += rowBytes) yield bytes.subarray(at, at + rowBytes);
    left = bytes.subarray(whole);
  }
}

/** numpy's format 1.0 (NEP 1) and safetensors, both with their data aligned; CSV begins with the numbers of its columns. */
function headerOf(format: VectorFormat, shape: readonly number[]): Uint8Array {
  const width = shape.slice(1).reduce((product, axis) => product * axis, 1);
  if (format === 'csv') return Buffer.from(`${['id', ...Array.from({ length: width }, (_, i) => `${i}`)].join(',')}\n`);
  if (format === 'safetensors') {
    const text = JSON.stringify({ embeddings: { dtype: 'F32', shape, data_offsets: [0, 4 * shape[0] * width] } });
    const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
    header.writeBigUInt64LE(BigInt(header.length - 8));
    header.write(text, 8);
    return header;
  }
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const header = Buffer.alloc(Math.ceil((10 + text.length + 1) / 64) * 64, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(header.length - 10, 8);
  header.write(text, 10);
  header[header.length - 1] = 10;
  return header;
}

const csvRow = (id: string, bytes: Buffer): Uint8Array =>
  Buffer.from(`${[/[",\n]/.test(id) ? `"${id.replaceAll('"', '""')}"` : id, ...Array.from({ length: bytes.length / 4 }, (_, i) => `${Number(bytes.readFloatLE(4 * i).toPrecision(9))}`)].join(',')}\n`);
