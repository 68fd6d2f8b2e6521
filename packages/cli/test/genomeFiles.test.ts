import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openSequences } from '../src/genomeFiles';

test('a genome in plain gzip, of several members too, is opened as others are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'genomelm-gzip-'));
  const path = join(folder, 'g.fa.gz');
  writeFileSync(path, Buffer.concat([gzipSync('>chrI one\nACGT\n'), gzipSync('GG\n>chrII\nTTAA\n')]));
  const file = await openSequences(path);
  expect((await file.contigs()).map(({ name, length }) => [name, length])).toEqual([['chrI', 6], ['chrII', 4]]);
  expect(Buffer.from(await file.fetch('chrI', 2, 6, { strand: '-' })).toString()).toBe('CCAC');
  rmSync(folder, { recursive: true });
});
