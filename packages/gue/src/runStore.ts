import { FormatError } from '@genomelm/genome-io';
import { canonicalJson } from './canonicalJson';
import { nodeModules } from './node';
import { identityOf, type RunIdentity } from './runIdentity';
import type { RunRecord } from './runRecord';
import { sha256 } from './sha256';

/**
 * Run records in a directory: `KEY.json`, which is a function of the run's identity alone, so that an interrupted and resumed run leaves the same bytes as any other,
 * and beside it `KEY.cost.json` with the time and memory it took.
 */
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
  const keyOf = ({ task, taskVersion, dataSha256: { train, dev, test }, model, fingerprint, hyperparameters, seed, device }: RunIdentity): Promise<string> =>
    sha256(canonicalJson({ task, taskVersion, dataSha256: { train, dev, test }, model, fingerprint, hyperparameters, seed, device }));
  const readText = (file: string): Promise<string | undefined> => fs.promises.readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const costPath = (file: string): string => file.replace(/\.json$/, '.cost.json');
  const readFile = async (file: string): Promise<RunRecord | undefined> => {
    const text = await readText(file);
    if (text === undefined) return undefined;
    const [record, costText] = [parseRecord(text, file), await readText(costPath(file))];
    return { ...record, cost: costText === undefined ? record.cost ?? { fitSeconds: NaN, predictSeconds: NaN, peakMemoryBytes: 0, device: record.device ?? 'cpu', threads: 1 } : parseJson(costText, costPath(file)) as RunRecord['cost'] };
  };
  const writeFile = async (file: string, value: unknown): Promise<void> => {
    const beside = `${file}.${process.pid}.${globalThis.crypto.randomUUID()}.tmp`;
    try {
      await fs.promises.writeFile(beside, `${JSON.stringify(value)}\n`, { flush: true });
      await fs.promises.rename(beside, file);
    } finally {
      await fs.promises.rm(beside, { force: true });
    }
  };
  const store: RunStore = {
    keyOf,
    pathOf,
    read: async (identity) => readFile(pathOf(await keyOf(identity))),
    async write(record) {
      const file = pathOf(await keyOf(identityOf(record)));
      await fs.promises.mkdir(directory, { recursive: true });
      const { cost, ...rest } = record;
      await writeFile(costPath(file), cost); // first: where there is a record, there is its cost
      await writeFile(file, rest);
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
  const record = parseJson(text, file);
  const schema = typeof record === 'object' && record !== null && 'schema' in record ? record.schema : undefined;
  if (schema !== 'genomelm-run/1') throw new FormatError(`openRunStore: expected a record of schema genomelm-run/1 in ${file}, got ${JSON.stringify(schema) ?? 'none'}; remove the file and run again`, { format: 'genomelm-run' });
  return record as RunRecord;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`openRunStore: expected JSON in ${file}, got ${JSON.stringify(text.slice(0, 20))}; remove the file and run again`, { format: 'genomelm-run', cause });
  }
}
