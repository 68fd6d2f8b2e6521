import { FormatError } from '@genomelm/genome-io';
import { canonicalJson } from './canonicalJson';
import { nodeModules } from './node';
import { identityOf, type RunIdentity } from './runIdentity';
import type { RunRecord } from './runRecord';
import { sha256 } from './sha256';

/** Run records in a directory, one JSON file each. */
export interface RunStore {
  /** SHA-256 of the identity's canonical JSON: the name of the file. */
  keyOf(identity: RunIdentity): Promise<string>;
  /** Path of the record with this key, whether it exists or not. */
  pathOf(key: string): string;
  /** The record of an identity, or undefined if it was never run. */
  read(identity: RunIdentity): Promise<RunRecord | undefined>;
  /** Writes a record beside its place and moves it there, so that a killed run leaves the old file or the new one, never half of one. Returns its path. */
  write(record: RunRecord): Promise<string>;
  /** All records, by task, model and seed. */
  list(): Promise<RunRecord[]>;
  /** The stored record, or what `run` gives, which is then stored. With `refresh` it is run in any case. */
  readOrRun(identity: RunIdentity, run: () => Promise<RunRecord>, options?: { readonly refresh?: boolean }): Promise<RunRecord>;
}

/** Opens a directory of run records; it is made when the first one is written. Node only. */
export function openRunStore(directory: string): RunStore {
  const { fs, path } = nodeModules('openRunStore');
  const pathOf = (key: string): string => path.join(directory, `${key}.json`);
  // Named one by one: a caller's richer object must not change the key.
  const keyOf = ({ task, taskVersion, dataSha256: { train, dev, test }, model, fingerprint, hyperparameters, seed }: RunIdentity): Promise<string> =>
    sha256(canonicalJson({ task, taskVersion, dataSha256: { train, dev, test }, model, fingerprint, hyperparameters, seed }));
  const readFile = async (file: string): Promise<RunRecord | undefined> => {
    const text = await fs.promises.readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : parseRecord(text, file);
  };
  const store: RunStore = {
    keyOf,
    pathOf,
    read: async (identity) => readFile(pathOf(await keyOf(identity))),
    async write(record) {
      const file = pathOf(await keyOf(identityOf(record)));
      await fs.promises.mkdir(directory, { recursive: true });
      const beside = `${file}.${process.pid}.${globalThis.crypto.randomUUID()}.tmp`;
      try {
        await fs.promises.writeFile(beside, `${JSON.stringify(record)}\n`, { flush: true });
        await fs.promises.rename(beside, file);
      } finally {
        await fs.promises.rm(beside, { force: true });
      }
      return file;
    },
    async list() {
      const names = fs.existsSync(directory) ? (await fs.promises.readdir(directory)).filter((name) => /^[0-9a-f]{64}\.json$/.test(name)) : [];
      const records = await Promise.all(names.map(async (name) => (await readFile(path.join(directory, name)))!));
      return records.sort((a, b) => compare(a.task, b.task) || compare(a.model, b.model) || a.seed - b.seed);
    },
    async readOrRun(identity, run, { refresh = false } = {}) {
      const stored = refresh ? undefined : await store.read(identity);
      if (stored) return stored;
      const record = await run();
      const [wanted, got] = await Promise.all([keyOf(identity), keyOf(identityOf(record))]);
      if (wanted !== got) throw new RangeError(`readOrRun: expected a record of ${canonicalJson(identity)}, got one of ${canonicalJson(identityOf(record))}; run what the identity names`);
      await store.write(record);
      return record;
    },
  };
  return store;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function parseRecord(text: string, file: string): RunRecord {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`openRunStore: expected JSON in ${file}, got ${JSON.stringify(text.slice(0, 20))}; remove the file and run again`, { format: 'genomelm-run', cause });
  }
  const schema = typeof record === 'object' && record !== null && 'schema' in record ? record.schema : undefined;
  if (schema !== 'genomelm-run/1') throw new FormatError(`openRunStore: expected a record of schema genomelm-run/1 in ${file}, got ${JSON.stringify(schema) ?? 'none'}; remove the file and run again`, { format: 'genomelm-run' });
  return record as RunRecord;
}
