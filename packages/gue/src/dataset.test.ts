import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import { parseCsv } from './csv';
import { availableTasks } from './dataSource';
import { parseDataset } from './dataset';
import { downloadTask } from './download';
import { loadDataset } from './loadDataset';
import { findTask } from './tasks';

const { sha256: known, ...row } = findTask('tf_0');
const task = { ...row, declaredSizes: { train: 2, dev: 1, test: 1 } };
const good = { train: 'sequence,label\nACGT,0\nGGCC,1\n', dev: 'sequence,label\nTTTT,1\n', test: 'sequence,label\nAAAA,0\n' };
const withTrain = (train: string | Uint8Array) => parseDataset(task, { ...good, train });

describe('CSV', () => {
  const rows = (text: string) => [...parseCsv(text, 'x.csv')];
  test('quotes, doubled quotes, commas and line breaks inside quotes, all line ends', () => {
    expect(rows('a,b\r\n"x,1","say ""hi"""\r"two\nlines",z\n\n')).toEqual([
      { fields: ['a', 'b'], line: 1 }, { fields: ['x,1', 'say "hi"'], line: 2 }, { fields: ['two\nlines', 'z'], line: 3 },
    ]);
    expect(rows('"two\r\nlines",z\nlast,')).toEqual([{ fields: ['two\r\nlines', 'z'], line: 1 }, { fields: ['last', ''], line: 3 }]);
    expect(rows('')).toEqual([]);
  });
  test('what is written quoted is read back', () =>
    fc.assert(fc.property(fc.array(fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é') }), { minLength: 1, maxLength: 4 }), { minLength: 1 }), (table) => {
      const text = table.map((fields) => fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')).join('\r\n');
      expect(rows(text).map((row) => row.fields)).toEqual(table);
    })));
  test.each([
    ['a,b\n"open,1\n', 'expected a closing quote, got the end of x.csv for the field that opens in line 2'],
    ['a,b\nAC"GT,1', 'got "\\"" in x.csv, line 2'],
    ['a,b\n"AC"GT,1', 'got "G" in x.csv, line 2'],
  ])('%j is refused', (text, message) => expect(() => rows(text)).toThrow(message));
});

describe('a dataset', () => {
  test('is read with counts, lengths and hashes', async () => {
    const dataset = await parseDataset(task, good);
    expect(dataset).toMatchObject({ task: 'tf_0', simulated: false, classes: 2, notes: [] });
    // printf 'sequence,label\nACGT,0\nGGCC,1\n' | sha256sum
    expect(dataset.train).toEqual({
      examples: [{ sequence: 'ACGT', label: 0 }, { sequence: 'GGCC', label: 1 }], sha256: '5db15689fd06fe96c4ba756f458bd84e770d7e93c0305064c600f38f0915ce60',
      classCounts: [1, 1], shortest: 4, longest: 4, ambiguousItems: 0, lowerCaseItems: 0,
    });
  });
  test('is the same from bytes with a byte order mark, CRLF and quotes', async () => {
    const { train } = await withTrain(new TextEncoder().encode('\uFEFFsequence,label\r\n"ACGT",0\r\n"GGCC","1"\r\n'));
    expect(train.examples).toEqual((await parseDataset(task, good)).train.examples);
  });
  test('allows and counts ambiguity codes and lower case', async () => {
    const { train, notes } = await withTrain('sequence,label\nACGN,0\nacgu,1\n');
    expect(train).toMatchObject({ ambiguousItems: 2, lowerCaseItems: 1 });
    expect(notes).toEqual(['2 of 2 train items hold letters other than A, C, G and T.', '1 of 2 train items hold lower-case letters.']);
  });
  test('reports sizes that differ, and changes nothing', async () => {
    const { train, notes } = await withTrain('sequence,label\nACGT,0\n');
    expect(train.examples).toHaveLength(1);
    expect(notes).toEqual(['No training item has the label 1.', 'The train split has 1 rows; the distributed file has 2.']);
  });
  test('says that a split of one class measures nothing', async () => {
    const { notes } = await parseDataset(task, { ...good, dev: 'sequence,label\nTTTT,1\nTTTA,1\n' });
    expect(notes).toEqual(['The dev split has 2 rows; the distributed file has 1.', 'Every dev item has the label 1: MCC on it is 0 whatever is predicted, so that nothing can be chosen by it.']);
  });
  test('reports files that are not the known ones, and refuses none', async () => {
    const { notes } = await parseDataset({ ...task, sha256: known! }, good);
    expect(notes).toContain("The test file is another one than the known: its sha256 begins with a14a2efdba73, that one's with d29934d0df42.");
  });
  test('without a development file holds out every tenth training row, where the task says so', async () => {
    const rows = Array.from({ length: 25 }, (_, i) => `${'ACGT'.repeat(1 + (i % 3))},${i % 2}\n`);
    const nt = { ...findTask('nt_enhancers'), declaredSizes: { train: 25, test: 1 } };
    const { train, dev, notes } = await parseDataset(nt, { train: `sequence,label\n${rows.join('')}`, test: good.test });
    expect([train.examples.length, dev.examples.length]).toEqual([23, 2]);
    expect(dev.examples[0]).toEqual({ sequence: 'ACGT', label: 1 });
    expect(notes[0]).toBe('There is no development file: every 10th training row was held out.');
    expect(notes.slice(1)).toEqual(['Every dev item has the label 1: MCC on it is 0 whatever is predicted, so that nothing can be chosen by it.']);
    await expect(parseDataset(task, { train: good.train, test: good.test })).rejects.toThrow('expected the dev split of tf_0, got nothing');
  });
  test('of GUE+ takes its classes from the training file', async () => {
    const species = { ...findTask('fungi_species_20'), declaredSizes: undefined } as never as typeof task;
    const data = await parseDataset(species, { ...good, train: 'sequence,label\nA,0\nC,1\nG,2\n' });
    expect(data).toMatchObject({ classes: 3, notes: ['The training file holds 3 classes; known copies hold 20.'] });
    await expect(parseDataset(species, { ...good, test: 'sequence,label\nA,2\n' })).rejects.toThrow('expected a label from 0 to 1, got 2 in test.csv, line 2');
  });
  test('of pairs has three columns, or two with | between the sequences', async () => {
    const pair = (label: number) => `sequence,pair,label\nACGT,GG,${label}\n`;
    const { train } = await parseDataset(findTask('epi_K562'), { train: pair(1), dev: pair(0), test: pair(1) });
    expect(train).toMatchObject({ examples: [{ sequence: 'ACGT', pair: 'GG', label: 1 }], longest: 6 });
    const joined = (label: number) => `sequence,label\nACGT|GG,${label}\n`; // as in copies on the hub
    expect((await parseDataset(findTask('epi_K562'), { train: joined(1), dev: joined(0), test: joined(1) })).train.examples).toEqual(train.examples);
    for (const wrong of ['ACGT', 'A|C|G']) await expect(parseDataset(findTask('epi_K562'), { train: `sequence,label\n${wrong},1\n`, dev: joined(0), test: joined(1) })).rejects.toThrow('expected 3 columns (two sequences, or both with | between them, and a label)');
  });
});

test.each([
  ['a label outside the range', 'sequence,label\nACGT,2\n', 'expected a label from 0 to 1, got 2 in train.csv, line 2; tf_0 has 2 classes', 2],
  ['a negative label', 'sequence,label\nACGT,-1\n', 'expected an integer label, got "-1" in train.csv, line 2', 2],
  ['a label with a fraction', 'sequence,label\nACGT,1\nACGT,0.5\n', 'expected an integer label, got "0.5" in train.csv, line 3', 3],
  ['a huge label', 'sequence,label\nACGT,99999999999999999999\n', 'expected a label from 0 to 1', 2],
  ['a missing label', 'sequence,label\nACGT,\n', 'expected an integer label, got ""', 2],
  ['a ragged row', 'sequence,label\nACGT,1\nACGT\n', 'expected 2 columns (sequence,label), got 1 in train.csv, line 3', 3],
  ['a row too wide', 'sequence,label\nACGT,GG,1\n', 'expected 2 columns (sequence,label), got 3', 2],
  ['a blank line inside', 'sequence,label\nACGT,1\n\nACGT,1\n', 'got 1 in train.csv, line 3', 3],
  ['a space in a sequence', 'sequence,label\nAC GT,1\n', 'expected IUPAC nucleotide letters, got " " at position 3 of a sequence in train.csv, line 2', 2],
  ['a protein', 'sequence,label\nMELVIS,1\n', 'got "E" at position 2', 2],
  ['no sequence', 'sequence,label\n,1\n', 'expected a sequence, got nothing in train.csv, line 2', 2],
  ['no header', 'ACGT,1\nACGT,0\n', 'expected a header such as sequence,label, got a row with label 1', 1],
  ['no rows', 'sequence,label\n', 'expected rows below the header in train.csv, got none', 2],
  ['nothing at all', ' \n', 'got an empty file', 1],
])('%s ends with one clear line', async (_, train, message, line) => {
  const error = await withTrain(train).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ name: 'FormatError', format: 'csv', line });
  expect((error as Error).message).toContain(message);
  expect((error as Error).message).not.toContain('\n');
});

test('bytes that are no UTF-8 are refused', () =>
  expect(withTrain(Uint8Array.of(0x73, 0xff, 0xfe))).rejects.toThrow('expected UTF-8 text in train.csv, got other bytes'));

describe('files', () => {
  let home: string;
  let folder: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'gue-'));
    folder = join(home, 'tf', '0');
    mkdirSync(folder, { recursive: true });
    for (const [split, text] of Object.entries(good)) writeFileSync(join(folder, `${split}.csv`), text);
  });
  afterEach(() => rmSync(home, { recursive: true }));

  test('plain or compressed give the same data', async () => {
    const plain = await loadDataset(task, home);
    rmSync(join(folder, 'train.csv'));
    writeFileSync(join(folder, 'train.csv.gz'), gzipSync(good.train));
    expect(await loadDataset(task, home)).toEqual(plain);
  });
  test('a missing split, a missing folder and the wrong level each get one line', async () => {
    rmSync(join(folder, 'dev.csv'));
    await expect(loadDataset(task, home)).rejects.toThrow(`expected ${join(folder, 'dev.csv')} or its .gz, got neither`);
    await expect(loadDataset(task, join(home, 'nowhere'))).rejects.toThrow('pass the directory that holds tf/0/ as the data directory');
    mkdirSync(join(home, 'outer', 'GUE', 'tf', '0'), { recursive: true });
    await expect(loadDataset(task, join(home, 'outer'))).rejects.toThrow(`pass ${join(home, 'outer', 'GUE')} as the data directory`);
  });
  test('a zip file and an address give the same data as the folder', async () => {
    const plain = await loadDataset(task, home);
    const zip = zipSync({ 'GUE/tf/0/train.csv': strToU8(good.train), 'GUE/tf/0/dev.csv': [strToU8(good.dev), { level: 0 }], 'GUE/tf/0/test.csv.gz': gzipSync(good.test) });
    const file = join(home, 'GUE.zip');
    writeFileSync(file, zip);
    expect(await loadDataset(task, file)).toEqual(plain);
    for (const place of [home, file]) expect((await availableTasks(place))?.map(({ name }) => name)).toEqual(['tf_0']);
    expect(await availableTasks('hf:leannmlindsey/GUE')).toBeUndefined();
    const broken = zip.slice();
    broken[40 + 'GUE/tf/0/train.csv'.length] ^= 255;
    writeFileSync(file, broken);
    await expect(loadDataset(task, file)).rejects.toThrow(/openZip: expected (deflated data|the checksum)/);
    writeFileSync(file, 'no zip');
    await expect(loadDataset(task, file)).rejects.toThrow('expected the end of a zip file, got none');

    const asked: string[] = [];
    const server = createServer(({ url = '' }, response) => {
      asked.push(url);
      const split = /^\/gue\/tf\/0\/(train|dev|test)\.csv$/.exec(url)?.[1] as keyof typeof good | undefined;
      response.writeHead(split ? 200 : 404).end(split && good[split]);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/gue`;
      for (let twice = 0; twice < 2; twice++) expect(await loadDataset(task, address, { cache: join(home, 'cache') })).toEqual(plain);
      expect(asked).toEqual(['/gue/tf/0/train.csv', '/gue/tf/0/dev.csv', '/gue/tf/0/test.csv']); // the second time comes from the cache
      const files = await downloadTask({ ...task, sha256: { train: plain.train.sha256, test: 'x' } }, address, join(home, 'copy'));
      expect(files.map(({ split, bytes, asKnown, kept }) => [split, bytes, asKnown, kept])).toEqual([['train', 29, true, false], ['dev', 22, undefined, false], ['test', 22, false, false]]);
      expect(await loadDataset(task, join(home, 'copy'))).toEqual(plain);
      await expect(loadDataset({ ...task, folder: 'tf/1' }, address, { cache: join(home, 'cache') })).rejects.toThrow(`expected ${address}/tf/1/train.csv or its .gz, got neither`);
    } finally {
      server.close();
    }
  });
  test('a copy on the hub: names of its own for the folders, through a redirect; what is refused or cut off leaves no file behind', async () => {
    const asked: string[] = [];
    let fault: 'none' | 'refused' | 'cut' = 'none';
    const server = createServer(({ url = '' }, response) => {
      asked.push(url);
      const split = /^\/datasets\/who\/GUE\/resolve\/main\/human_tf_0\/(train|dev|test)\.csv\.gz$/.exec(url)?.[1];
      if (split) response.writeHead(302, { location: `/blob/${split}` }).end();
      else if (fault === 'refused') response.writeHead(503).end();
      else if (url.startsWith('/blob/')) {
        const bytes = gzipSync(good[url.slice(6) as keyof typeof good]);
        response.writeHead(200, { 'content-length': bytes.length });
        if (fault === 'cut') response.write(bytes.subarray(0, 12), () => response.destroy());
        else response.end(bytes);
      } else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { HF_ENDPOINT } = process.env;
    process.env['HF_ENDPOINT'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const cache = join(home, 'hub');
      fault = 'cut';
      await expect(loadDataset(task, 'hf:who/GUE', { cache })).rejects.toThrow(/expected http.*human_tf_0\/train\.csv\.gz, got (a part|no answer) .*; check the network and try again/);
      fault = 'refused';
      await expect(loadDataset(task, 'hf:who/GUE', { cache })).rejects.toThrow('got status 503; check the address');
      expect(readdirSync(cache, { recursive: true }).filter((name) => String(name).includes('csv'))).toEqual([]);
      fault = 'none';
      asked.length = 0;
      expect(await loadDataset(task, 'hf:who/GUE', { cache })).toEqual(await loadDataset(task, home));
      expect(asked.slice(0, 3)).toEqual(['/datasets/who/GUE/resolve/main/human_tf_0/train.csv', '/datasets/who/GUE/resolve/main/human_tf_0/train.csv.gz', '/blob/train']);
      server.close();
      server.closeAllConnections();
      expect((await loadDataset(task, 'hf:who/GUE', { cache })).test.examples).toHaveLength(1); // from the cache
      await expect(loadDataset(task, 'hf:who/GUE', { cache: join(home, 'other') })).rejects.toThrow(/train\.csv, got no answer \(.*ECONNREFUSED/);
    } finally {
      server.close();
      if (HF_ENDPOINT === undefined) delete process.env['HF_ENDPOINT'];
      else process.env['HF_ENDPOINT'] = HF_ENDPOINT;
    }
  });
  test('errors name the file', async () => {
    writeFileSync(join(folder, 'test.csv'), 'sequence,label\nACGT,7\n');
    await expect(loadDataset(task, home)).rejects.toThrow(`in ${join(folder, 'test.csv')}, line 2`);
    rmSync(join(folder, 'train.csv'));
    writeFileSync(join(folder, 'train.csv.gz'), gzipSync(good.train.repeat(50)).subarray(0, 40));
    await expect(loadDataset(task, home)).rejects.toMatchObject({ name: 'FormatError', message: expect.stringContaining('train.csv.gz') as string });
  });
});
