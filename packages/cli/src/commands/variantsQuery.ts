import { existsSync } from 'node:fs';
import { openVcf, type VcfHeader, type VcfRecord } from '@genomelm/genome-io';
import { UsageError, type Command } from '../command';
import { parseRegion } from '../genomeFiles';
import { withOutput } from '../output';

export const variantsQuery: Command = {
  name: 'variants query',
  summary: 'The records of a bgzipped, indexed VCF that overlap regions, as VCF (or JSON with their genotypes); by HTTP too.',
  usage: 'FILE.vcf.gz CONTIG[:START-END]…',
  options: {
    index: { type: 'string', value: 'FILE', help: 'the .tbi or .csi index (default: beside the file)' },
    'no-header': { type: 'boolean', help: 'the records alone' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
  },
  async run({ values, positionals: [path, ...regions], json, progress, signal }) {
    if (path === undefined || regions.length === 0) throw new UsageError('variants query: expected a file and regions, got too little; for example calls.vcf.gz chr1:1001-2000');
    const file = openVcf(path, { index: (values['index'] as string | undefined) ?? indexBeside(path), signal });
    let records = 0;
    try {
      await withOutput(values['out'] as string | undefined, async (output) => {
        const header = await file.header();
        const known = new Set(header.contigs.keys());
        let before = json || values['no-header'] === true ? '' : headerText(header); // not before the first region is known to be one
        const list: object[] = [];
        for (const region of regions) {
          const { contig, start, end = Number.MAX_SAFE_INTEGER } = parseRegion('variants query', region, known);
          for await (const record of file.query(contig, start, end)) {
            if (json) list.push(objectOf(record));
            else await output.write(`${before}${record.toString()}\n`);
            before = '';
            progress.update({ stage: 'query', done: ++records, unit: 'records' });
          }
        }
        await output.write(json ? `${JSON.stringify({ records: list })}\n` : before);
      });
    } finally {
      await file.close();
    }
    progress.finish();
  },
};

function indexBeside(path: string): string {
  const found = [`${path}.tbi`, `${path}.csi`].find((index) => existsSync(index));
  if (found === undefined && !/^https?:/i.test(path)) throw new UsageError(`variants query: expected ${path}.tbi or ${path}.csi, got neither; make one with tabix -p vcf, or pass --index FILE`);
  return found ?? `${path}.tbi`;
}

const headerText = ({ meta, samples }: VcfHeader): string =>
  `${meta.map(({ key, value }) => `##${key}=${value}\n`).join('')}${['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO', ...(samples.length > 0 ? ['FORMAT', ...samples] : [])].join('\t')}\n`;

/** Places 0-based and half-open, as everywhere but in the file. */
function objectOf(record: VcfRecord): object {
  const { contig, start, end, ids, ref, alt, qual, filters, infoKeys, header } = record;
  return {
    contig, start, end, ids, ref, alt, qual: qual ?? null, filters, info: Object.fromEntries(infoKeys.map((key) => [key, record.info(key)])),
    genotypes: Object.fromEntries(header.samples.map((name, sample) => [name, record.genotype(sample) ?? null])),
  };
}
