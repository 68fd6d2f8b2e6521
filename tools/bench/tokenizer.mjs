// npm run bench -- tokenizer [--json] [--encode-only | --ours-only | --long]: encoding from strings, all semantics on, and training with 4,096 tokens.
// --long: training alone, on 58 MB in every way and on 1,000 MB out of core; 10 minutes, and 3 GB of disk.
// Real yeast and the released DNABERT-2 vocabulary where ../shared/data has them, otherwise a seeded simulation and a vocabulary trained on it.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { root } from '../run.mjs';
import { collectedClock, interleave, interleavedTimes, measureProgram, median } from './measure.mjs';

export const packages = ['@genomelm/tokenizer'];
export const peers = { tokenizers: '0.23.2', '@huggingface/tokenizers': '0.2.0', tiktoken: '1.0.22' };

const library = pathToFileURL(join(root, 'packages/tokenizer/dist/index.js')).href;
const shared = join(root, '../shared/data');

export async function* run({ peer, args, note }) {
  const { parseTokenizerJson, serializeTokenizerJson, trainBpe } = await import(library);
  const genome = readGenome(note);
  const released = join(shared, 'tokenizer/dnabert2/tokenizer.json');
  const json = existsSync(released) ? readFileSync(released, 'utf8') : serializeTokenizerJson(await trainBpe(cut(genome.slice(0, 2e6), 1000), { vocabSize: 4096 }));
  const folder = mkdtempSync(join(tmpdir(), 'genomelm-bench-'));
  try {
    writeFileSync(join(folder, 'tokenizer.json'), json);
    if (args.includes('--long')) return yield* longTraining({ note, genome, folder });
    const ours = parseTokenizerJson(json);
    if (!args.includes('--ours-only')) yield* encoding({ peer, note, json, genome, ours, folder });
    yield* oursAlone({ genome, ours, folder });
    if (!args.includes('--ours-only') && !args.includes('--encode-only')) yield* training({ note, genome, folder, peer });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readGenome(note) {
  const yeast = join(shared, 'genomes/yeast/R64-1-1.genome.fa.gz');
  if (existsSync(yeast)) return gunzipSync(readFileSync(yeast)).toString().split('>').slice(1).map((entry) => entry.slice(entry.indexOf('\n')).replace(/\s/g, '')).join('');
  note('without ../shared/data: simulated DNA');
  const bases = new Uint8Array(12e6);
  for (let i = 0, state = 1; i < bases.length; i++) bases[i] = 'ACGT'.charCodeAt((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 30);
  return Buffer.from(bases).toString();
}

const cut = (text, length) => Array.from({ length: Math.floor(text.length / length) }, (_, i) => text.slice(i * length, (i + 1) * length));

async function* encoding({ peer, note, json, genome, ours, folder }) {
  const native = await peer('tokenizers').then(({ Tokenizer }) => Tokenizer.fromFile(join(folder, 'tokenizer.json')), (error) => note(`native tokenizers cannot run here: ${error.message}`));
  const { Tokenizer: JavaScript } = await peer('@huggingface/tokenizers'), javaScript = new JavaScript(JSON.parse(json), {});
  const bytePair = await createTiktoken(peer, ours, note);
  const megabases = (texts, seconds) => texts.reduce((sum, { length }) => sum + length, 0) / 1e6 / seconds;

  for (const [length, count, repeats] of [[300, 2000, 9], [10_000, 100, 9], [1_000_000, 4, 5]]) {
    const texts = cut(genome, length).slice(0, count), few = texts.slice(0, Math.max(1, Math.ceil(count / 20)));
    const rivals = [
      native && ['native tokenizers', few, async (text) => (await native.encode(text)).getIds()],
      length <= 10_000 && ['@huggingface/tokenizers', few.slice(0, 10), (text) => javaScript.encode(text).ids],
      length <= 300 && bytePair && ['tiktoken', few, (text) => [ours.specialIds.cls, ...bytePair(text), ours.specialIds.sep]],
    ].filter(Boolean);
    for (const [, some, encode] of rivals) for (const text of some.slice(0, 20)) assertEqual(await encode(text), ours.encode(text));
    const arms = [() => { for (const text of texts) ours.encode(text); }, ...rivals.map(([, some, encode]) => async () => { for (const text of some) await encode(text); })];
    const [mine, ...theirs] = await interleave(arms, repeats, collectedClock);
    for (const [i, [name, some]] of rivals.entries()) {
      const row = { ours: megabases(texts, mine), peer: megabases(some, theirs[i]) };
      yield { name: `encode ${length} bases a call, ${name}`, ...row, ratio: row.ours / row.peer, unit: 'Mb/s' };
    }
    if (length === 300 && native) {
      assertEqual((await native.encodeBatch(few)).flatMap((encoding) => [...encoding.getIds()]), ours.encodeBatch(few).inputIds);
      const [batched, nativeBatched] = await interleave([() => ours.encodeBatch(texts), () => native.encodeBatch(texts)], repeats, collectedClock);
      yield { name: 'encodeBatch of 300 bases, native tokenizers (both cores)', ours: megabases(texts, batched), peer: megabases(texts, nativeBatched), ratio: nativeBatched / batched, unit: 'Mb/s' };
    }
  }
}

/** Lengths, tables, memory and threads: no other library in them. */
async function* oursAlone({ genome, ours, folder }) {
  const pieces = cut(genome, 10_000), megabases = (texts, seconds) => texts.reduce((sum, { length }) => sum + length, 0) / 1e6 / seconds;
  const [long, short] = await interleave([() => ours.encode(genome), () => { for (const piece of pieces) ours.encode(piece); }], 7, collectedClock);
  yield { name: `${(genome.length / 1e6).toFixed(0)} Mb in one call, ours in calls of 10 kb`, ours: genome.length / 1e6 / long, peer: megabases(pieces, short), ratio: short / long, unit: 'Mb/s' };
  yield* tables({ folder });
  yield* streams({ genome, folder });
  yield* threads({ ours, genome, folder });
}

/** From the text of the file to the first ids, each time in a process of its own: the tables are not cached, nor is the code compiled. */
async function* tables({ folder }) {
  const file = join(folder, 'tokenizer.json'), milliseconds = [];
  for (let i = 0; i < 5; i++) {
    const { output } = await measureProgram(process.execPath, ['--input-type=module', '-e', `import { readFileSync } from 'node:fs'; import { parseTokenizerJson } from '${library}'; const json = readFileSync('${file}', 'utf8'), begun = performance.now(); parseTokenizerJson(json).encode('ACGT'); console.log(performance.now() - begun);`]);
    milliseconds.push(Number(output));
  }
  const ours = median(milliseconds);
  yield { name: 'tokenizer.json read and tables ready, 150 ms', ours, peer: 150, ratio: 150 / ours, unit: 'ms' };
}

/** Peak memory of programs that encode the genome from a file as a stream, eight and 32 times over as one sequence: by eight the garbage collector has reached its pace. */
async function* streams({ genome, folder }) {
  const file = join(folder, 'genome.txt');
  writeFileSync(file, genome);
  const script = (times) => `
    import { createReadStream, readFileSync } from 'node:fs'; import { encodeStream, parseTokenizerJson } from '${library}';
    async function* chunks() { for (let i = 0; i < ${times}; i++) yield* createReadStream('${file}'); }
    let tokens = 0;
    for await (const ids of encodeStream(parseTokenizerJson(readFileSync('${join(folder, 'tokenizer.json')}', 'utf8')), chunks())) tokens += ids.length;
    console.log(tokens);`;
  const peak = async (times) => (await measureProgram(process.execPath, ['--input-type=module', '-e', script(times)])).megabytes;
  const ours = await peak(32), peer = await peak(8), length = genome.length / 1e6;
  yield { name: `peak memory of a stream of ${(32 * length).toFixed(0)} Mb, of ${(8 * length).toFixed(0)} Mb`, ours, peer, ratio: ours / peer, unit: 'MB' };
}

/** Two threads beside the caller alone and beside a pool of one, and beside what the machine allows: two threads that each encode one half for themselves, with nothing sent or joined. */
async function* threads({ ours, genome, folder }) {
  const { createEncoderPool } = await import(library.replace('index.js', 'parallel.js')), [pool, single] = [2, 1].map((count) => createEncoderPool(ours, { threads: count }));
  const bytes = Buffer.from(genome), half = genome.length >>> 1, halves = [genome.slice(0, half), genome.slice(half)].map((text) => startAlone(folder, text));
  assertEqual((await pool.encodeWithOffsets(genome)).ids, ours.encode(genome));
  const [two, one, oneWorker, twoFromBytes, oneFromBytes, floor, twoWithOffsets, oneWithOffsets, floorWithOffsets] = await interleavedTimes([
    () => pool.encode(genome), () => ours.encode(genome), () => single.encode(genome), () => pool.encode(bytes), () => ours.encode(bytes), () => Promise.all(halves.map(({ encode }) => encode('encode'))),
    () => pool.encodeWithOffsets(genome), () => ours.encodeWithOffsets(genome), () => Promise.all(halves.map(({ encode }) => encode('encodeWithOffsets'))),
  ], 31, collectedClock);
  await Promise.all([pool, single, ...halves].map((each) => each.close()));
  const megabases = genome.length / 1e6, row = (name, mine, other, against = 'ours on one') => ({
    name: `${megabases.toFixed(0)} Mb ${name}, ${against}`, ours: megabases / median(mine), peer: megabases / median(other), ratio: median(mine.map((seconds, i) => other[i] / seconds)), unit: 'Mb/s',
  });
  yield row('on two threads', two, one);
  yield row('on two threads', two, oneWorker, 'a pool of one');
  yield row('from bytes on two threads', twoFromBytes, oneFromBytes);
  yield row('as two halves apart', floor, one);
  yield row('with offsets on two threads', twoWithOffsets, oneWithOffsets);
  yield row('with offsets as two halves apart', floorWithOffsets, oneWithOffsets);
}

/** A thread that has a text and a tokenizer of its own. */
function startAlone(folder, text) {
  const worker = new Worker(`
    const { parentPort, workerData: { text, json } } = require('node:worker_threads');
    import('${library}').then(({ parseTokenizerJson }) => {
      const tokenizer = parseTokenizerJson(json);
      parentPort.on('message', (method) => { tokenizer[method](text); parentPort.postMessage(0); });
    });`, { eval: true, workerData: { text, json: readFileSync(join(folder, 'tokenizer.json'), 'utf8') } });
  return { encode: (method) => new Promise((resolve) => { worker.once('message', resolve); worker.postMessage(method); }), close: () => worker.terminate() };
}

/** The vocabulary as byte ranks: tokens by rank, letters first, as tiktoken wants them. */
async function createTiktoken(peer, ours, note) {
  try {
    const { Tiktoken } = await peer('tiktoken');
    const { vocab, merges } = ours.definition;
    const texts = [...'ACGT', ...merges.map((merge) => merge.join(''))], ids = texts.map((text) => vocab.get(text));
    const tokenizer = new Tiktoken(`! 0 ${texts.map((text) => Buffer.from(text).toString('base64')).join(' ')}`, {}, '[ACGT]+');
    return (text) => Array.from(tokenizer.encode(text), (rank) => ids[rank]);
  } catch (error) {
    note(`tiktoken cannot run here: ${error.message}`);
    return undefined;
  }
}

const inMemory = (file) => `trainBpe(lines('${file}'), { vocabSize: 4096 })`;
const outOfCore = (file) => `trainBpe(lines('${file}'), { vocabSize: 4096, maxMemory: 100e6 })`;

/** Runs a program that trains. @returns its seconds, those of the processor, its peak memory, and as output the merges */
async function train(call) {
  const program = `
    import { createInterface } from 'node:readline'; import { createReadStream } from 'node:fs'; import { createTrainingShard, trainBpe, trainBpeOverShards } from '${library}';
    const lines = (file) => createInterface({ input: createReadStream(file) });
    const { definition } = await ${call}, { user, system } = process.cpuUsage();
    console.log((user + system) / 1e6 + '\\n' + definition.merges.join('\\n'));`;
  const { output, ...measured } = await measureProgram(process.execPath, ['--input-type=module', '-e', program]), end = output.indexOf('\n');
  return { ...measured, processorSeconds: Number(output.slice(0, end)), output: output.slice(end + 1) };
}

/** The three trainers on the same 58 MB, and 1,000 MB out of core: copies of the genome, a tenth of the bases of each drawn again. */
async function* longTraining({ note, genome, folder }) {
  const halves = [0, 1].map((half) => { const file = join(folder, `half${half}.txt`); writeMutated(file, genome, 29e6, half + 1); return file; });
  const both = join(folder, 'both.txt');
  writeFileSync(both, Buffer.concat(halves.map((file) => readFileSync(file))));
  const say = (what, { processorSeconds, megabytes }) => note(`${what}: ${processorSeconds.toFixed(1)} s of processor time, ${megabytes.toFixed(0)} MB at the peak`);
  const memory = await train(inMemory(both)), disk = await train(outOfCore(both));
  const shards = await train(`trainBpeOverShards(${JSON.stringify(halves)}.map((file) => createTrainingShard(lines(file))), { vocabSize: 4096 })`);
  if (memory.output !== disk.output || memory.output !== shards.output) throw new Error('bench: expected the same merges in memory, out of core and over shards');
  yield { name: 'train on 58 MB, in memory; ours out of core', ours: memory.seconds, peer: disk.seconds, ratio: disk.seconds / memory.seconds, unit: 's', megabytes: memory.megabytes, peerMegabytes: disk.megabytes };
  yield { name: 'train on 58 MB, in memory; ours over two shards in one process', ours: memory.seconds, peer: shards.seconds, ratio: shards.seconds / memory.seconds, unit: 's', megabytes: memory.megabytes, peerMegabytes: shards.megabytes };
  say('58 MB in memory', memory);
  say('58 MB out of core', disk);
  say('58 MB over two shards', shards);
  const large = join(folder, 'large.txt');
  writeMutated(large, genome, 1e9, 3);
  const long = await train(outOfCore(large));
  yield { name: 'train on 1,000 MB, out of core, 600 s', ours: long.seconds, peer: 600, ratio: 600 / long.seconds, unit: 's', megabytes: long.megabytes };
  say('1,000 MB out of core', long);
}

/** Lines of 1,000 bases. */
function writeMutated(file, genome, length, seed) {
  const out = openSync(file, 'w'), source = Buffer.from(genome), line = Buffer.alloc(1001, '\n');
  for (let written = 0, at = 0, state = seed; written < length; written += 1000, at += 1000) {
    if (at + 1000 > source.length) at = 0;
    source.copy(line, 0, at, at + 1000);
    for (let i = 0; i < 1000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      if (state < 2 ** 32 / 10) line[i] = 'ACGT'.charCodeAt((state >>> 16) & 3); // the highest bits say whether, lower ones what
    }
    writeSync(out, line);
  }
  closeSync(out);
}

async function* training({ note, genome, folder }) {
  const corpus = cut(genome.slice(0, 10e6), 1000), file = join(folder, 'corpus.txt');
  writeFileSync(file, corpus.join('\n'));
  const megabytes = corpus.length / 1000;
  const memory = await train(inMemory(file)), disk = await train(outOfCore(file));
  if (memory.output !== disk.output) throw new Error('bench: expected the same merges in memory and out of core');
  yield { name: `train on ${megabytes} MB, in memory; ours out of core`, ours: memory.seconds, peer: disk.seconds, ratio: disk.seconds / memory.seconds, unit: 's', megabytes: memory.megabytes, peerMegabytes: disk.megabytes };
  note(`peak memory: ${memory.megabytes.toFixed(0)} MB in memory, ${disk.megabytes.toFixed(0)} MB out of core`);
  if (spawnSync('spm_train', ['--help']).error) return note('spm_train is not installed (Debian: apt-get install sentencepiece): no comparison of training with it');
  const sentencePiece = await measureProgram('spm_train', [`--input=${file}`, `--model_prefix=${join(folder, 'spm')}`, '--model_type=bpe', '--vocab_size=4096', '--max_sentencepiece_length=128', '--max_sentence_length=100000', '--num_threads=2']);
  yield { name: `train on ${megabytes} MB, sentencepiece`, ours: memory.seconds, peer: sentencePiece.seconds, ratio: sentencePiece.seconds / memory.seconds, unit: 's', megabytes: memory.megabytes, peerMegabytes: sentencePiece.megabytes };
}

function assertEqual(theirs, ours) {
  const a = Array.from(theirs, Number), b = Array.from(ours);
  const at = a.length === b.length ? a.findIndex((id, i) => id !== b[i]) : Math.min(a.length, b.length);
  if (at >= 0) throw new Error(`bench: expected the same ids, got ${a[at]} and ${b[at]} at ${at}`);
}
