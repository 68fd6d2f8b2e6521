import { downloadTask, findTask, tasks, type DownloadedFile } from '@genomelm/gue';
import { list, UsageError, type Command } from '../command';
import { textTable } from '../output';

export const gueDownload: Command = {
  name: 'gue download',
  summary: 'Copy the files of tasks from a zip file, an address or the Hugging Face hub into a folder, and compare their hashes with the known ones.',
  usage: '--data DIR [--from hf:leannmlindsey/GUE] [--tasks a,b]',
  options: {
    data: { type: 'string', value: 'DIR', help: 'the folder that then holds EMP/, prom/, tf/ …' },
    from: { type: 'string', value: 'PLACE', help: 'a zip file (path or address), an address below which the folders lie, or hf:OWNER/NAME (default: hf:leannmlindsey/GUE, a copy by others)' },
    tasks: { type: 'string', value: 'A,B', help: 'task names (default: the 28 of GUE)' },
    refresh: { type: 'boolean', help: 'fetch what is there already, too' },
  },
  async run(context) {
    const { values, positionals, json, print, progress, signal } = context;
    const directory = values['data'] as string | undefined;
    if (positionals.length || directory === undefined) throw new UsageError(`gue download: expected --data DIR, got ${positionals[0] ?? 'none'}`);
    const wanted = list(context, 'tasks')?.map(findTask) ?? tasks.filter(({ benchmark }) => benchmark === 'GUE');
    const results: (DownloadedFile & { readonly task: string })[] = [];
    for (const task of wanted) {
      const onProgress = (split: string, done: number): void => progress.update({ stage: `${task.name} ${split}`, done, unit: 'bytes' });
      const files = await downloadTask(task, (values['from'] as string | undefined) ?? 'hf:leannmlindsey/GUE', directory, { refresh: values['refresh'] === true, signal, onProgress });
      results.push(...files.map((file) => ({ task: task.name, ...file })));
    }
    progress.finish();
    print(json ? `${JSON.stringify({ results })}\n` : text(results));
  },
};

function text(results: readonly (DownloadedFile & { readonly task: string })[]): string {
  const known = (asKnown: boolean | undefined) => (asKnown === undefined ? 'no hash known' : asKnown ? 'as known' : 'another file than the known one');
  return textTable([['task', 'split', 'bytes', '', 'sha256', ''], ...results.map(({ task, split, bytes, kept, sha256, asKnown }) => [task, split, `${bytes}`, kept ? 'was there' : 'fetched', sha256.slice(0, 12), known(asKnown)])]);
}
