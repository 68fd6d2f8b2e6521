import { bgzfCompressStream, createGzi, readBytes, serializeGzi } from '@genomelm/genome-io';
import { integer, UsageError, type Command } from '../command';
import { onlyFile, reading, sourceOf, threadsOption } from '../genomeFiles';
import { withOutput, writeFileAtomic } from '../output';

export const bgzip: Command = {
  name: 'bgzip',
  summary: 'Compress to BGZF, decompress (any gzip), or write the .gzi index, as bgzip does; the input stays.',
  usage: '[-d | -r] [-i] [-o FILE] FILE',
  options: {
    decompress: { type: 'boolean', short: 'd', help: 'decompress BGZF or gzip, every checksum verified' },
    reindex: { type: 'boolean', short: 'r', help: 'only write FILE.gzi of a BGZF file' },
    index: { type: 'boolean', short: 'i', help: 'when compressing to a file, write its .gzi too' },
    level: { type: 'string', short: 'l', value: 'N', help: 'deflate level 0 to 9 (default 6)' },
    threads: { ...threadsOption, help: `with -d: ${threadsOption.help}` },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the file to write, - for stdout (default: FILE.gz; without .gz for -d)' },
  },
  async run(context) {
    const { values, json, print, progress, signal } = context;
    const path = onlyFile(context, 'bgzip', 'file');
    if (values['reindex']) {
      const target = (values['out'] as string | undefined) ?? `${path}.gzi`;
      const gzi = await createGzi(sourceOf(path), { signal });
      writeFileAtomic(target, serializeGzi(gzi));
      if (json) print(`${JSON.stringify({ gzi: target, blocks: gzi.blockOffsets.length })}\n`);
      return;
    }
    const target = outputOf(path, values['out'] as string | undefined, values['decompress'] === true);
    const level = integer(context, 'level', 6, { min: 0, max: 9 });
    let bytes = 0;
    await withOutput(target, async (output) => {
      const chunks = values['decompress'] ? readBytes(sourceOf(path), { ...reading(context), reuse: target !== undefined }) : bgzfCompressStream(sourceOf(path), { level, signal });
      for await (const chunk of chunks) {
        await output.write(chunk);
        bytes += chunk.length;
        progress.update({ stage: values['decompress'] ? 'decompress' : 'compress', done: bytes, unit: 'bytes' });
      }
    });
    progress.finish();
    if (target === undefined) return;
    const gzi = values['index'] && !values['decompress'] ? `${target}.gzi` : undefined;
    if (gzi) writeFileAtomic(gzi, serializeGzi(await createGzi(target, { signal })));
    if (json) print(`${JSON.stringify({ file: target, bytes, ...(gzi ? { gzi } : {}) })}\n`);
  },
};

/** Where the output goes; undefined is stdout. */
function outputOf(path: string, out: string | undefined, decompress: boolean): string | undefined {
  if (out === '-' || (out === undefined && path === '-')) return undefined;
  if (out !== undefined) return out;
  if (!decompress) return `${path}.gz`;
  const bare = path.replace(/\.(?:gz|bgz|bgzf)$/i, '');
  if (bare === path) throw new UsageError(`bgzip: expected -o with the file to write, got none, and ${path} does not end in .gz`);
  return bare;
}
