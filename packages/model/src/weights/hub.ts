// Checkpoints by their id on a Hugging Face hub, through the optional package @huggingface/hub.
import { reasonOf } from './http';
import { remoteFile, type Checkpoint, type FetchOptions } from './checkpoint';

export interface HubOptions extends FetchOptions {
  /** A branch, tag or commit. Default `main`. */
  readonly revision?: string | undefined;
  /** Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly hubUrl?: string | undefined;
  /** For private and gated models. Default: `HF_TOKEN`. */
  readonly accessToken?: string | undefined;
}

/** The hub's ids: `owner/name`. */
export const isHubId = (source: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(source);

/** Inside `try`, not before `.catch`: for bundlers a package that is not there is then no error (webpack 5 and Vite refuse the other; esbuild takes both). */
async function hubLibrary(id: string): Promise<Pick<typeof import('@huggingface/hub'), 'modelInfo' | 'listFiles'>> {
  try {
    return await import('@huggingface/hub');
  } catch (cause) {
    throw new Error(`loadPretrained: expected the package @huggingface/hub for the id ${id}, got none; npm install @huggingface/hub, or give a directory or an address`, { cause });
  }
}

/** Resolves the revision to a commit, so that all files are of one state, and lists the files. */
export async function hubCheckpoint(id: string, options: HubOptions): Promise<Checkpoint> {
  const { modelInfo, listFiles } = await hubLibrary(id);
  const environment: Readonly<Record<string, string | undefined>> = typeof process === 'undefined' ? {} : process.env;
  const { revision = 'main', hubUrl = environment['HF_ENDPOINT'] ?? 'https://huggingface.co', accessToken = environment['HF_TOKEN'] } = options;
  const access = { hubUrl, ...(options.fetch ? { fetch: options.fetch as typeof fetch } : {}), ...(accessToken ? { accessToken } : {}) };
  const files = new Map<string, { byteLength: number; sha256?: string | undefined }>();
  let sha: string;
  try {
    ({ sha } = await modelInfo({ name: id, revision, additionalFields: ['sha'], ...access }));
    for await (const { type, path, size, lfs } of listFiles({ repo: { type: 'model', name: id }, revision: sha, ...access })) {
      if (type === 'file') files.set(path, { byteLength: lfs?.size ?? size, sha256: lfs?.oid });
    }
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new Error(`loadPretrained: expected a directory ${id} or a model of this id at ${hubUrl}, got no directory and ${reasonOf(cause)}; check the name, the network and, for what is private, the access token`, { cause });
  }
  const http = { ...options, ...(accessToken ? { headers: { ...options.headers, authorization: `Bearer ${accessToken}` } } : {}) };
  return {
    name: id,
    revision: sha,
    async find(name) {
      const file = files.get(name);
      const url = `${hubUrl}/${id}/resolve/${sha}/${name}`;
      return file && remoteFile(name, { url, byteLength: file.byteLength, validator: undefined }, ['models', id.replace('/', '--'), sha], file.sha256, http);
    },
  };
}
