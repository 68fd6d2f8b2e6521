import { fork, type ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { connectTrainingShard, createTrainingShard, serveTrainingShard, trainBpeOverShards, type BpeTokenizer, type Sequence, type TrainBpeOptions } from '@genomelm/tokenizer';
import { UsageError } from '../command';

/** Trains over several processes, each with some of the files: the merges of one process over all of them. */
export async function trainInProcesses(files: readonly string[], count: number, args: readonly string[], options: TrainBpeOptions): Promise<BpeTokenizer> {
  if (files.length < count) throw new UsageError(`--processes: expected at least as many files as processes, got ${files.length} for ${count}; split the corpus, or lower it`);
  const children: ChildProcess[] = [];
  try {
    const shards = shareOut(files, count).map((share) => {
      const child = fork(process.argv[1], ['train-tokenizer', '--serve-shard', ...args, '--', ...share], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      children.push(child);
      return connectTrainingShard(child as Parameters<typeof connectTrainingShard>[0]);
    });
    return await trainBpeOverShards(shards, options);
  } finally {
    for (const child of children) if (child.connected) child.disconnect();
  }
}

/** The largest file first, to whoever has least. */
function shareOut(files: readonly string[], count: number): string[][] {
  const shares = Array.from({ length: count }, () => ({ bytes: 0, files: [] as string[] }));
  for (const { file, size } of files.map((each) => ({ file: each, size: statSync(each).size })).sort((a, b) => b.size - a.size)) {
    const least = shares.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    least.bytes += size;
    least.files.push(file);
  }
  return shares.map((share) => share.files);
}

/** One of those processes. */
export async function serveShard(corpus: AsyncIterable<Sequence>, options: Parameters<typeof createTrainingShard>[1]): Promise<void> {
  if (!process.send) throw new UsageError('--serve-shard: expected to be started by --processes, got no channel; use --processes');
  await serveTrainingShard(process as Parameters<typeof serveTrainingShard>[0], createTrainingShard(corpus, options));
}
