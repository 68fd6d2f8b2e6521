// Token ids as packed binary shards: what another program maps into memory. `index.json` says what each file holds.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './command';

/** Tokens after which the next record opens a new shard: 128 MiB of 16 bits. */
export const defaultShardTokens = 2 ** 26;

export interface IdShards {
  append(name: string, ids: Uint32Array): void;
  /** Writes `index.json`, with these facts in it; only now does the folder appear under its name. */
  commit(facts: Readonly<Record<string, unknown>>): void;
  abandon(): void;
}

interface Part {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A file that grows, and its hash. */
function openPart(folder: string, file: string): { write(bytes: Uint8Array): void; close(): Part } {
  const [handle, hash]: [number, Hash] = [openSync(join(folder, file), 'w'), createHash('sha256')];
  let bytes = 0;
  return {
    write(data) {
      for (let at = 0; at < data.length;) at += writeSync(handle, data, at);
      hash.update(data);
      bytes += data.length;
    },
    close() {
      closeSync(handle);
      return { file, bytes, sha256: hash.digest('hex') };
    },
  };
}

const littleEndian = (data: Uint16Array | Uint32Array | Int32Array): Uint8Array => {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (endianness() === 'LE') return bytes;
  return data.BYTES_PER_ELEMENT === 2 ? Buffer.from(bytes).swap16() : Buffer.from(bytes).swap32();
};

/**
 * Of each shard `ids-I.bin` (uint16 where the vocabulary fits, else uint32), `cuSeqlens-I.bin` (int32 `[records + 1]`: record r has the ids from `cuSeqlens[r]` up to `cuSeqlens[r + 1]`)
 * and `names-I.jsonl` (a JSON string a line), all little-endian. The same records give the same bytes.
 * @throws UsageError for a folder that has something in it
 */
export function openIdShards(directory: string, { vocabSize, shardTokens = defaultShardTokens }: { readonly vocabSize: number; readonly shardTokens?: number }): IdShards {
  if (existsSync(directory) && readdirSync(directory).length) throw new UsageError(`--out: expected a folder that is empty or not there yet, got ${directory}, which has files; name another`);
  const beside = `${directory}.${process.pid}.partial`;
  mkdirSync(beside, { recursive: true });
  const dtype = vocabSize <= 2 ** 16 ? 'uint16' : 'uint32';
  const shards: { records: number; tokens: number; ids: Part; cuSeqlens: Part; names: Part }[] = [];
  let open: { ids: ReturnType<typeof openPart>; names: ReturnType<typeof openPart>; cuSeqlens: number[] } | undefined;

  const shut = (): void => {
    if (!open) return;
    const lengths = openPart(beside, `cuSeqlens-${number(shards.length)}.bin`);
    lengths.write(littleEndian(Int32Array.from(open.cuSeqlens)));
    shards.push({ records: open.cuSeqlens.length - 1, tokens: open.cuSeqlens.at(-1)!, ids: open.ids.close(), cuSeqlens: lengths.close(), names: open.names.close() });
    open = undefined;
  };
  const number = (i: number) => String(i).padStart(5, '0');

  return {
    append(name, ids) {
      if (open && open.cuSeqlens.at(-1)! + ids.length > shardTokens) shut();
      open ??= { ids: openPart(beside, `ids-${number(shards.length)}.bin`), names: openPart(beside, `names-${number(shards.length)}.jsonl`), cuSeqlens: [0] };
      open.ids.write(littleEndian(dtype === 'uint16' ? Uint16Array.from(ids) : ids));
      open.names.write(Buffer.from(`${JSON.stringify(name)}\n`));
      open.cuSeqlens.push(open.cuSeqlens.at(-1)! + ids.length);
    },
    commit(facts) {
      shut();
      const sum = (of: 'records' | 'tokens') => shards.reduce((total, shard) => total + shard[of], 0);
      writeFileSync(join(beside, 'index.json'), `${JSON.stringify({ version: 1, dtype, byteOrder: 'little', vocabSize, records: sum('records'), tokens: sum('tokens'), ...facts, shards }, null, 2)}\n`);
      renameSync(beside, directory);
    },
    abandon() {
      open?.ids.close();
      open?.names.close();
      rmSync(beside, { recursive: true, force: true });
    },
  };
}
