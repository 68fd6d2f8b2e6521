import { checkMendel, FormatError, readPedigree, readVcf, triosOf } from '@genomelm/genome-io';
import { UsageError, type Command } from '../command';
import { reading, sourceOf, threadsOption } from '../genomeFiles';

export const variantsValidate: Command = {
  name: 'variants validate',
  summary: 'Check VCF files of 4.1 to 4.5 against the specification of their version (exit 2 names the line and the section); with --ped Mendel\'s law too.',
  usage: '[--ped FILE] FILES…',
  options: { ped: { type: 'string', value: 'FILE', help: 'a pedigree: compares the children with their parents instead' }, threads: threadsOption },
  async run(context) {
    const { values, positionals, json, print, progress } = context;
    if (positionals.length === 0) throw new UsageError('variants validate: expected one file or more, got none');
    const pedigree = typeof values['ped'] === 'string' ? await readPedigree(sourceOf(values['ped'])) : undefined;
    const files: object[] = [];
    let failure: FormatError | undefined;
    for (const path of positionals) {
      const variants = readVcf(sourceOf(path), { validate: pedigree === undefined, ...reading(context) });
      let records = 0;
      try {
        const { minorVersion, samples } = await variants.header();
        if (pedigree) {
          const trios = triosOf(pedigree, samples);
          if (trios.length === 0) throw new UsageError(`variants validate: expected a trio of ${String(values['ped'])} among the samples of ${path}, got ${samples.slice(0, 5).join(', ') || 'none'}; compare the names`);
          const reports = await checkMendel(variants, trios);
          files.push({ file: path, trios: reports });
          if (!json) for (const { child, father, mother, determined, ambiguous, violation, missing } of reports) print(`${path}: ${child} of ${father} and ${mother}: ${determined + ambiguous} agree, ${violation} do not, ${missing} missing\n`);
          continue;
        }
        for await (const record of variants) {
          records++;
          progress.update({ stage: path, done: records, unit: 'records', line: record.line });
        }
        files.push({ file: path, version: `4.${minorVersion ?? '?'}`, records, valid: true });
        if (!json) print(`${path}: VCF 4.${minorVersion ?? '?'}, ${records} records, valid\n`);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        failure ??= new FormatError(`${path}: ${error.message}`, { format: error.format, line: error.line, cause: error });
        files.push({ file: path, valid: false, line: error.line, message: error.message });
        if (!json && positionals.length > 1) print(`${path}: ${error.message}\n`);
      }
    }
    progress.finish();
    if (json) print(`${JSON.stringify({ files })}\n`);
    if (failure) throw failure;
  },
};
