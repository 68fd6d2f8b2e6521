// Where the files of a checkpoint are: a directory, an address, a repository on the hub, or memory.
import { FormatError } from '../errors';
import { hashText } from '../hash';
import { bytesSource, fileSource, openOrClose, type ByteSource } from './byteSource';
import { isNode, nodeModules } from './files';
import { describeUrl, download, urlSource, type HttpFile, type HttpOptions } from './http';
import { openTorchFile } from './pickle';
import { openSafetensors } from './safetensors';
import { openShards, parseShardIndex } from './shards';
import type { WeightsFile } from './storedTensor';

/** The contents of config.json, of model.safetensors or pytorch_model.bin, and of tokenizer.json. */
export interface PretrainedFiles {
  readonly config: string;
  readonly weights: Uint8Array;
  readonly tokenizer?: string | undefined;
}

/** What happens while a checkpoint is fetched and loaded. */
export type LoadEvent =
  /** Before anything large is downloaded. `cached` files are on this machine already. */
  | { readonly kind: 'found'; readonly source: string; readonly revision?: string | undefined; readonly bytes: number; readonly files: readonly { readonly name: string; readonly bytes: number; readonly cached: boolean }[] }
  | { readonly kind: 'download'; readonly file: string; readonly done: number; readonly total: number }
  /** Tensors on the device. */
  | { readonly kind: 'load'; readonly tensor: string; readonly done: number; readonly total: number };

export interface FetchOptions extends HttpOptions {
  /** Where downloads are kept, in Node. Default: `GENOMELM_CACHE`, else `genomelm` in the user's folder for caches. */
  readonly cacheDirectory?: string | undefined;
  /** False reads ranges of remote files as they are needed and stores nothing; always so in browsers. */
  readonly cache?: boolean | undefined;
  /** Hexadecimal hashes by file name, for addresses; the hub gives its own. */
  readonly sha256?: Readonly<Record<string, string>> | undefined;
  onProgress?(event: LoadEvent): void;
}

export interface CheckpointFile {
  readonly name: string;
  readonly byteLength: number;
  /** Nothing has to be downloaded. */
  readonly cached: boolean;
  open(): Promise<ByteSource>;
}

export interface Checkpoint {
  /** A path, an address or an id, for messages. */
  readonly name: string;
  /** The commit on the hub. */
  readonly revision?: string | undefined;
  find(name: string): Promise<CheckpointFile | undefined>;
}

export const filesCheckpoint = ({ config, weights, tokenizer }: PretrainedFiles): Checkpoint => {
  const text = (value: string) => new TextEncoder().encode(value);
  const isZip = weights[0] === 0x50 && weights[1] === 0x4b; // no header of safetensors is so long
  const contents: Record<string, Uint8Array | undefined> = { 'config.json': text(config), 'tokenizer.json': tokenizer === undefined ? undefined : text(tokenizer), [isZip ? 'pytorch_model.bin' : 'model.safetensors']: weights };
  return {
    name: 'the files given',
    async find(name) {
      const bytes = contents[name];
      return bytes && { name, byteLength: bytes.byteLength, cached: true, open: async () => bytesSource(bytes, name) };
    },
  };
};

export function directoryCheckpoint(directory: string): Checkpoint {
  const { fs, path } = nodeModules('loadPretrained');
  return {
    name: directory,
    async find(name) {
      const file = path.join(directory, name);
      const stat = await fs.promises.stat(file).catch(() => undefined);
      return stat && { name, byteLength: stat.size, cached: true, open: () => fileSource(file) };
    },
  };
}

/** A folder at an address; its files are cached under their address and the server's ETag. */
export function addressCheckpoint(address: string, options: FetchOptions): Checkpoint {
  const folder = new URL(address.endsWith('/') ? address : `${address}/`);
  return {
    name: address,
    async find(name) {
      const file = await describeUrl(new URL(name, folder).href, options);
      return file && remoteFile(name, file, ['addresses', hashText(folder.href), hashText(`${file.validator} ${file.byteLength}`)], options.sha256?.[name], options);
    },
  };
}

/** In Node a file in the cache; elsewhere ranges of the address, which browsers cache themselves. @param place - folders below the cache's */
export async function remoteFile(name: string, file: HttpFile, place: readonly string[], sha256: string | undefined, options: FetchOptions): Promise<CheckpointFile> {
  if (!isNode() || options.cache === false) return { name, byteLength: file.byteLength, cached: false, open: async () => urlSource(file, options) };
  const { fs, path } = nodeModules('loadPretrained');
  const target = path.join(cacheDirectory(options), ...place, name);
  const stored = await fs.promises.stat(target).catch(() => undefined);
  return {
    name,
    byteLength: file.byteLength,
    cached: stored?.size === file.byteLength,
    async open() {
      await fs.promises.mkdir(path.dirname(target), { recursive: true });
      return download(file, target, { ...options, sha256, onProgress: (done) => options.onProgress?.({ kind: 'download', file: name, done, total: file.byteLength }) });
    },
  };
}

function cacheDirectory({ cacheDirectory: given }: FetchOptions): string {
  const { path, os } = nodeModules('loadPretrained');
  const { GENOMELM_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return given ?? GENOMELM_CACHE ?? path.join(XDG_CACHE_HOME ?? LOCALAPPDATA ?? path.join(os.homedir(), '.cache'), 'genomelm');
}

export interface OpenedCheckpoint {
  readonly config: string;
  readonly tokenizer?: string | undefined;
  readonly weights: WeightsFile;
}

/** Finds the files, tells of their sizes, then opens them. The weights are safetensors or upstream's pickle, each in one file or in several with an index. */
export async function openCheckpoint(checkpoint: Checkpoint, onProgress?: (event: LoadEvent) => void): Promise<OpenedCheckpoint> {
  const config = await checkpoint.find('config.json');
  if (!config) throw new FormatError(`loadPretrained: expected config.json in ${checkpoint.name}, got none (ENOENT); name a folder with config.json and model.safetensors`, { format: 'config.json' });
  const [tokenizer, weights] = [await checkpoint.find('tokenizer.json'), await findWeights(checkpoint)];
  const files = [config, ...(tokenizer ? [tokenizer] : []), ...weights.files];
  onProgress?.({ kind: 'found', source: checkpoint.name, revision: checkpoint.revision, bytes: files.reduce((total, { byteLength }) => total + byteLength, 0), files: files.map(({ name, byteLength, cached }) => ({ name, bytes: byteLength, cached })) });
  return { config: await readText(config), tokenizer: tokenizer && await readText(tokenizer), weights: await weights.open() };
}

/** config.json, tokenizer.json and an index stay below this, whatever the model. */
const maxTextBytes = 100_000_000;

async function readText({ name, byteLength, open }: CheckpointFile): Promise<string> {
  if (byteLength > maxTextBytes) throw new FormatError(`loadPretrained: expected ${name} of at most ${maxTextBytes} bytes, got ${byteLength}`, { format: 'JSON' });
  const source = await open();
  try {
    return new TextDecoder().decode(await source.read(0, source.byteLength));
  } finally {
    await source.close();
  }
}

interface FoundWeights {
  readonly files: readonly CheckpointFile[];
  open(): Promise<WeightsFile>;
}

/** In transformers' order. */
const weightFormats = [
  { name: 'model.safetensors', ending: '.safetensors', read: openSafetensors },
  { name: 'pytorch_model.bin', ending: '.bin', read: openTorchFile },
] as const;

async function findWeights(checkpoint: Checkpoint): Promise<FoundWeights> {
  for (const { name, ending, read } of weightFormats) {
    const openFile = async (file: CheckpointFile): Promise<WeightsFile> => openOrClose(await file.open(), read);
    const single = await checkpoint.find(name);
    if (single) return { files: [single], open: () => openFile(single) };
    const index = await checkpoint.find(`${name}.index.json`);
    if (!index) continue;
    const places = parseShardIndex(await readText(index), ending);
    const shards = await findShards(checkpoint, new Set(places.values()), index.name);
    return { files: [...shards.values()], open: () => openShards(places, (file) => openFile(shards.get(file)!)) };
  }
  throw new FormatError(`loadPretrained: expected model.safetensors, pytorch_model.bin or the .index.json of either in ${checkpoint.name}, got none of them; fetch the weights too`, { format: 'safetensors' });
}

async function findShards(checkpoint: Checkpoint, names: ReadonlySet<string>, index: string): Promise<Map<string, CheckpointFile>> {
  const shards = new Map<string, CheckpointFile>();
  for (const name of names) {
    const shard = await checkpoint.find(name);
    if (!shard) throw new FormatError(`loadPretrained: expected ${name} in ${checkpoint.name}, as ${index} says, got none; fetch all shards`, { format: 'index of shards' });
    shards.set(name, shard);
  }
  return shards;
}
