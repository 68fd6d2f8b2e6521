import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { auditLeakage, findTask, loadDataset, type Example } from '../src/index';
import { realGue } from './realData';

const hasBlast = spawnSync('blastn', ['-version']).status === 0;

/** Test rows for which blastn has an alignment at 80 % identity over half of the row. */
function blastn(train: readonly Example[], test: readonly Example[]): Set<number> {
  const folder = mkdtempSync(join(tmpdir(), 'gue-blastn-'));
  try {
    const fasta = (name: string, rows: readonly Example[]) => {
      writeFileSync(join(folder, name), rows.map(({ sequence }, i) => `>${i}\n${sequence}\n`).join(''));
      return join(folder, name);
    };
    const { status, stdout, stderr } = spawnSync('blastn', ['-task', 'blastn', '-word_size', '11', '-evalue', '1e-3', '-dust', 'no', '-query', fasta('test.fa', test), '-subject', fasta('train.fa', train), '-outfmt', '6 qseqid pident qstart qend qlen'], { encoding: 'utf8', maxBuffer: 2 ** 30 });
    if (status !== 0) throw new Error(stderr);
    return new Set(stdout.trim().split('\n').map((line) => line.split('\t').map(Number)).filter(([, identity, start, end, length]) => identity >= 80 && (end - start + 1) / length >= 0.5).map(([row]) => row));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const given = hasBlast && existsSync(realGue);
(given ? describe : describe.skip)(`near duplicates beside blastn at 80/50${given ? '' : ' (skipped: needs blastn and ../shared/data/gue)'}`, () => {
  test.each(['mouse_2', 'prom_core_tata', 'prom_300_tata', 'tf_3'])('%s: at least 97 of 100 that blastn finds, in a set rich in repeats too', async (name) => {
    const { train, test: heldOut } = await loadDataset(findTask(name), realGue);
    const { homologs } = await auditLeakage({ train: train.examples, test: heldOut.examples });
    const theirs = blastn(train.examples, heldOut.examples);
    const both = [...theirs].filter((row) => homologs[row]).length;
    console.log(`${name}: blastn ${theirs.size}, both ${both}, ours ${homologs.filter(Boolean).length}`);
    expect(both / theirs.size).toBeGreaterThanOrEqual(0.97);
  });
});
