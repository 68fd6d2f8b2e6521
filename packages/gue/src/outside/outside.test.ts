import { commandClassifier } from './commandClassifier';
import { predictionFile } from './predictionFile';
import { parseDataset } from '../dataset';
import { evaluate } from '../evaluate';
import { runIdentity } from '../runIdentity';

const task = { name: 'mine', version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
const csv = 'sequence,label\nATATTA,0\nGGCCGA,1\nATTTAA,0\nGCGCCC,1\n';
const dataset = () => parseDataset(task, { train: csv, dev: csv, test: csv });
const score = async (classifier: Parameters<typeof evaluate>[0]['classifier'], signal?: AbortSignal) =>
  (await evaluate({ task, dataset: await dataset(), classifier, resamples: 10, ...(signal ? { signal } : {}) })).predictions;
const node = (program: string) => [process.execPath, '-e', `process.stdin.setEncoding('utf8');let t='';process.stdin.on('data',(c)=>t+=c).on('end',()=>{const lines=t.trim().split('\\n');${program}})`];

describe('a command that reads sequences and writes predictions', () => {
  test('classes or probabilities, one line each', async () => {
    const classes = node("for (const s of lines) console.log(/G/.test(s) ? 1 : 0)");
    expect((await score(commandClassifier({ id: 'outside', command: classes }))).predicted).toEqual([0, 1, 0, 1]);
    const probabilities = node("for (const s of lines) console.log(/G/.test(s) ? '0.25, 0.75' : '0.5 0.5')");
    expect((await score(commandClassifier({ id: 'outside', command: probabilities }))).probabilities).toEqual([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.25, 0.75]]);
  });
  test('it never sees a label', async () => {
    const command = node("if (lines.join() !== 'ATATTA,GGCCGA,ATTTAA,GCGCCC') process.exit(3); lines.forEach(() => console.log(0))");
    expect((await score(commandClassifier({ id: 'outside', command }))).predicted).toEqual([0, 0, 0, 0]);
  });
  test.each([
    ['too few lines', node('console.log(1)'), 'expected 4 lines from'],
    ['no class', node("lines.forEach(() => console.log('yes'))"), 'got "yes" on line 1'],
    ['a class that is not there', node('lines.forEach(() => console.log(2))'), 'expected a class below 2'],
    ['a failure', node("console.error('no weights'); process.exit(4)"), 'to end with code 0, got 4; it wrote: no weights'],
    ['no program', ['/nonexistent/program'], 'expected a program that starts'],
  ])('%s is one clear line', async (_, command, message) => {
    await expect(score(commandClassifier({ id: 'outside', command }))).rejects.toThrow(message);
  });
  test('an abort ends the command', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 200);
    await expect(score(commandClassifier({ id: 'outside', command: [process.execPath, '-e', 'setInterval(() => 0, 1000)'] }), stop.signal)).rejects.toThrow('enough');
  });
  test('two commands under one name are two runs', async () => {
    const key = async (command: string[]) => runIdentity({ task, dataset: await dataset(), classifier: commandClassifier({ id: 'outside', command }) }).fingerprint;
    expect(await key(['a'])).not.toBe(await key(['b']));
    expect(() => commandClassifier({ id: 'x', command: [] })).toThrow('expected a program, got nothing');
  });
});

describe('a file of predictions', () => {
  test('classes, or probabilities beside the sequences they belong to', async () => {
    expect((await score(await predictionFile('file', 'prediction\n0\n1\n1\n1\n'))).predicted).toEqual([0, 1, 1, 1]);
    expect((await score(await predictionFile('file', 'sequence,p1,p0\r\nATATTA,0.2,0.8\r\nggccga,0.9,0.1\r\nATTTAA,0,1\r\nGCGCCC,0.6,0.4\r\n'))).predicted).toEqual([0, 1, 0, 1]);
  });
  test.each([
    ['prediction\n0\n1\n', 'expected 4 rows, one a test item, got 2 in file, line 3'],
    ['p0\n1\n1\n1\n1\n', 'expected a header with prediction or p0 to p1, got p0'],
    ['prediction\n0\n2\n1\n1\n', 'expected a class from 0 to 1, got "2" in file, line 3'],
    ['p0,p1\n0.5,0.5\n3,-2\n1,0\n1,0\n', 'expected probabilities from 0 to 1'],
    ['p0,p1\n0.5,0.5\n,1\n1,0\n1,0\n', 'line 3'],
    ['sequence,prediction\nGGCCGA,1\nATATTA,0\nATTTAA,0\nGCGCCC,1\n', 'expected the sequence of test item 1, got GGCCGA'],
    ['', 'expected a header'],
  ])('%j is one clear line', async (text, message) => {
    await expect(score(await predictionFile('file', text))).rejects.toThrow(message);
  });
  test('other predictions are another run', async () => expect((await predictionFile('a', 'prediction\n0\n')).fingerprint).not.toBe((await predictionFile('a', 'prediction\n1\n')).fingerprint));
});
