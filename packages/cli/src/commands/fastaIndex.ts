import { createFastaIndex, createGzi, openRandomAccess, serializeFai, serializeGzi } from '@genomelm/genome-io';
import { UsageError, type Command } from '../command';
import { onlyFile, reading, threadsOption } from '../genomeFiles';
import { writeFileAtomic } from '../output';
import { naming } from '../userFile';

export const fastaIndex: Command = {
  name: 'fasta index',
  summary: 'Write the .fai index of a FASTA file, and the .gzi of a bgzipped one, as samtools faidx does.',
  usage: '[-o FILE.fai] FILE',
  options: { out: { type: 'string', short: 'o', value: 'FILE', help: 'the .fai to write (default: beside the file)' }, threads: threadsOption },
  async run(context) {
    const { values, json, print, progress, signal } = context;
    const path = onlyFile(context, 'fasta index', 'FASTA file');
    const file = openRandomAccess(path, { signal });
    try {
      const head = await file.read(18, 0);
      const isBgzf = head[0] === 31 && head[1] === 139 && head[12] === 66 && head[13] === 67;
      if (!isBgzf && head[0] === 31 && head[1] === 139) throw new UsageError(`fasta index: expected plain text or BGZF, got gzip, which cannot be entered in the middle; genomelm bgzip -d it, then genomelm bgzip`);
      progress.update({ stage: 'index' });
      const gzi = isBgzf ? await createGzi(file, { signal }) : undefined;
      const index = await createFastaIndex(path, reading(context));
      const fai = (values['out'] as string | undefined) ?? `${path}.fai`;
      writeFileAtomic(fai, serializeFai(index));
      const gziPath = gzi && fai.replace(/(?:\.fai)?$/, '.gzi');
      if (gzi && gziPath) writeFileAtomic(gziPath, serializeGzi(gzi));
      const bases = index.reduce((sum, { length }) => sum + length, 0);
      progress.finish();
      if (json) print(`${JSON.stringify({ fai, ...(gziPath ? { gzi: gziPath } : {}), contigs: index.map(({ name, length }) => ({ name, length })), bases })}\n`);
      else print(`${fai}: ${index.length} sequences, ${bases} bases\n${gziPath ? `${gziPath}: ${gzi.blockOffsets.length} blocks\n` : ''}`);
    } catch (error) {
      throw naming(path, error);
    } finally {
      await file.close();
    }
  },
};
