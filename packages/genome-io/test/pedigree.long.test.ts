import { execFileSync } from 'node:child_process';
import { checkMendel, readPedigree, readVcf, triosOf } from '../src/index';
import { describeWithShared, describeWithTool, shared } from './sharedData';

const vcf = shared('vcf/trio/ashk-trio.vcf.gz');

describeWithTool('bcftools', () => {
  describeWithShared('the Ashkenazim trio', 'vcf/trio/ashk-trio.vcf.gz', () => {
    test('Mendel\'s law holds as often as bcftools +mendelian finds', async () => {
      const variants = readVcf(vcf);
      const [trio] = triosOf(await readPedigree(shared('vcf/trio/ashk-trio.ped')), (await variants.header()).samples);
      const [{ determined, ambiguous, violation, missing }] = await checkMendel(variants, [trio]);
      const output = execFileSync('bcftools', ['+mendelian', vcf, '-t', `${trio.mother},${trio.father},${trio.child}`, '-m', 'c'], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
      const [, good, bad, skipped] = /^(\d+)\t(\d+)\t(\d+)\tHG004/m.exec(output)!.map(Number);
      expect({ good: determined + ambiguous, bad: violation, skipped: missing }).toEqual({ good, bad, skipped });
    });
  });
});
