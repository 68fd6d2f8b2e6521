// A small language model of yeast beside Markov models, and what pre-training is worth: the experiment of docs/yeast-experiment.md.
//   node tools/experiments/yeast.mjs [--genome FILE] [--gue DIR] [--out DIR] [--tokens N] [--threads N] [--genomelm FILE]
// Every part that has left its result in the folder is not run again, and a training that was cut off goes on where it was. Prints a summary and writes summary.json and curve.svg.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { codeLengths, codesOf, fitMarkov, fitTwoSided, guessesOf, reverseComplementOf } from './markov.mjs';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const { values } = parseArgs({ options: {
  genome: { type: 'string', default: join(home, '../shared/data/genomes/yeast/R64-1-1.genome.fa.gz') },
  gue: { type: 'string', default: join(home, '../shared/data/gue/GUE') },
  out: { type: 'string', default: 'yeast-experiment' },
  tokens: { type: 'string', default: '6000000' },
  threads: { type: 'string', default: '2' },
  genomelm: { type: 'string', default: join(home, 'packages/cli/bin/genomelm.mjs') },
  'highest-order': { type: 'string', default: '12' },
} });
const heldOut = ['IV', 'XII'];
const validation = ['XIV'];
const seeds = [1, 2, 3];
const sets = ['prom/prom_core_tata', 'mouse/2'];
const blockBases = 10_000;
const at = (...names) => join(values.out, ...names);
mkdirSync(values.out, { recursive: true });

/** What is in the file, else what `make` gives, which is then in the file. */
function kept(file, make) {
  if (!existsSync(at(file))) writeFileSync(at(file), JSON.stringify(make()));
  return JSON.parse(readFileSync(at(file), 'utf8'));
}

/** Runs a command of genomelm unless its result is there; returns the result with the seconds that the run took. */
function genomelm(result, ...args) {
  if (!existsSync(at(result))) {
    console.error(`genomelm ${args.join(' ')}`);
    const began = performance.now();
    const { status, stdout } = spawnSync(process.execPath, [values.genomelm, ...args, '--threads', values.threads, '--json'], { encoding: 'utf8', maxBuffer: 1e9, stdio: ['ignore', 'pipe', 'inherit'] });
    if (status !== 0) throw new Error(`genomelm ${args[0]}: expected exit status 0, got ${status}`);
    writeFileSync(at(result), JSON.stringify({ ...JSON.parse(stdout), wallSeconds: (performance.now() - began) / 1000 }));
  }
  return JSON.parse(readFileSync(at(result), 'utf8'));
}

// Contigs, and Markov models of those that the network was trained on, both strands too.
const text = (/\.gz$/.test(values.genome) ? gunzipSync(readFileSync(values.genome)) : readFileSync(values.genome)).toString('latin1');
const contigs = new Map(text.split('>').filter(Boolean).map((record) => {
  const end = record.indexOf('\n');
  return [record.slice(0, end).split(/\s/)[0], codesOf(record.slice(end).replace(/\s/g, ''))];
}));
const trained = [...contigs].filter(([name]) => ![...heldOut, ...validation].includes(name)).flatMap(([, codes]) => [codes, reverseComplementOf(codes)]);
const codesIn = (names) => names.map((name) => contigs.get(name));
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

/** Sums over blocks of 10 kb, contig after contig: `[numerator, denominator]`. */
function blocksOf(names, each) {
  return names.flatMap((name) => {
    const list = Array.from({ length: Math.ceil(contigs.get(name).length / blockBases) }, () => [0, 0]);
    each(name, (base, numerator, denominator) => {
      const block = list[Math.min(list.length - 1, Math.floor(base / blockBases))];
      block[0] += numerator;
      block[1] += denominator;
    });
    return list;
  });
}

/** Of a network's held-out windows, in order, each counted where it begins. */
const blocksOfRun = (directory, value) => {
  const { blocks } = JSON.parse(readFileSync(at(directory, 'pretrain.json'), 'utf8'));
  return blocksOf(heldOut, (name, add) => {
    let base = 0;
    for (const [contig, tokens, bases, nats, top1] of blocks.heldOut) {
      if (contig !== name) continue;
      add(base, ...value({ tokens, bases, nats, top1 }));
      base += directory === 'mlm' ? 254 : bases;
    }
  });
};
const ratio = (blocks) => blocks.reduce((a, [n]) => a + n, 0) / blocks.reduce((a, [, d]) => a + d, 0);

/** Percentile interval of a ratio, or of the difference of two on the same blocks, over 10,000 resamples of blocks. */
function interval(blocks, other) {
  let state = 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const drawn = Array.from({ length: 10_000 }, () => {
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < blocks.length; i++) {
      const pick = Math.floor(next() * blocks.length);
      sums[0] += blocks[pick][0];
      sums[1] += blocks[pick][1];
      if (other) {
        sums[2] += other[pick][0];
        sums[3] += other[pick][1];
      }
    }
    return sums[0] / sums[1] - (other ? sums[2] / sums[3] : 0);
  }).sort((a, b) => a - b);
  return [drawn[250], drawn[9749]];
}

const bits = Math.LN2;
const highest = Number(values['highest-order']);
const orders = kept('markov.json', () => {
  const models = fitMarkov(trained, highest);
  return models.map((_, order) => {
    const blocks = blocksOf(heldOut, (name, add) => codeLengths(models, order, contigs.get(name)).forEach((nats, base) => add(base, nats / bits, 1)));
    return { order, validation: mean(codesIn(validation).map((codes) => mean(codeLengths(models, order, codes)) / bits)), heldOut: ratio(blocks), interval: interval(blocks), blocks };
  });
});
const chosen = orders.reduce((best, own) => (own.validation < best.validation ? own : best));
const sides = kept('two-sided.json', () => fitTwoSided(trained, 5).map((model, side) => {
  const shareIn = (codes) => { const known = guessesOf(model, side, codes).filter((guess) => guess < 2); return known.reduce((a, b) => a + b, 0) / known.length; };
  const blocks = blocksOf(heldOut, (name, add) => guessesOf(model, side, contigs.get(name)).forEach((guess, base) => { if (guess < 2) add(base, guess, 1); }));
  return { side, validation: mean(codesIn(validation).map(shareIn)), heldOut: ratio(blocks), interval: interval(blocks), blocks };
}));
const chosenSide = sides.reduce((best, own) => (own.validation > best.validation ? own : best));

const shape = ['-t', 'character', '--hidden', '64', '--layers', '2', '--heads', '4', '--tokens-per-step', '4096', '--window', '254'];
const training = [...shape, '--strands', 'both', '--hold-out', heldOut.join(','), '--validation', validation.join(','), '--learning-rate', '2e-3', '--decay', 'cosine', '--tokens', values.tokens, '--validate-every', '100000', '--save-every', '100', '--seed', '1', values.genome];
const causal = genomelm('causal.json', 'pretrain', '--objective', 'causal', '-o', at('causal'), ...training);
const mlm = genomelm('mlm.json', 'pretrain', '--objective', 'mlm', '-o', at('mlm'), ...training);
// The same shape with weights that nothing was learnt with: one step at a learning rate of 0.
for (const seed of seeds) genomelm(`fresh${seed}.json`, 'pretrain', '--objective', 'mlm', '-o', at(`fresh${seed}`), ...shape, '--tokens', '4096', '--learning-rate', '0', '--seed', String(seed), values.genome);
const fits = sets.map((set) => ({ set, ...Object.fromEntries(['fresh', 'mlm'].map((arm) => [arm, seeds.map((seed) => {
  const name = `ft_${arm}_${set.replace('/', '_')}_${seed}`;
  const file = (split) => join(values.gue, set, `${split}.csv.gz`);
  return genomelm(`${name}.json`, 'finetune', '--model', at(arm === 'fresh' ? `fresh${seed}` : 'mlm'), '--train', file('train'), '--dev', file('dev'), '--test', file('test'), '-o', at(name), '--epochs', '2', '--learning-rate', '1e-3', '--batch-size', '32', '--seed', String(seed));
})])) }));

const causalBlocks = blocksOfRun('causal', ({ bases, nats }) => [nats / bits, bases]);
const mlmBlocks = blocksOfRun('mlm', ({ tokens, top1 }) => [top1, tokens]);

const withoutBlocks = (own) => ({ ...own, blocks: undefined }); // which JSON leaves out
/** Matthews correlation of two classes on the rows drawn. */
function mcc(labels, predicted, rows) {
  const counts = [0, 0, 0, 0];
  for (const row of rows) counts[2 * labels[row] + predicted[row]]++;
  const [tn, fp, fn, tp] = counts;
  const scale = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
  return scale === 0 ? 0 : (tp * tn - fp * fn) / scale;
}

/** Percentile interval of the mean difference over seeds, over 2,000 resamples of test rows and seeds, both arms on the same draw. */
function gainInterval(set, fresh, own) {
  const labels = gunzipSync(readFileSync(join(values.gue, set, 'test.csv.gz'))).toString().trim().split('\n').slice(1).map((line) => Number(line.trim().split(',').at(-1)));
  let state = 1;
  const draw = (count) => Math.floor(((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * count);
  const [a, b] = [own, fresh].map((list) => list.map(({ seeds: [{ predictions }] }) => predictions));
  const drawn = Array.from({ length: 2000 }, () => {
    const rows = labels.map(() => draw(labels.length));
    return mean(a.map(() => draw(a.length)).map((seed) => mcc(labels, a[seed], rows) - mcc(labels, b[seed], rows)));
  }).sort((x, y) => x - y);
  return [drawn[50], drawn[1949]];
}

const gains = fits.map(({ set, fresh, mlm: own }) => {
  const scores = (list) => list.map(({ seeds: [{ test }] }) => test);
  const differences = scores(own).map((score, i) => score - scores(fresh)[i]);
  return { set, fromScratch: scores(fresh), fromCheckpoint: scores(own), differences, mean: mean(differences), interval: gainInterval(set, fresh, own), seconds: [...fresh, ...own].reduce((total, { wallSeconds = 0 }) => total + wallSeconds, 0) };
});
const summary = {
  causal: { bitsPerBase: ratio(causalBlocks), interval: interval(causalBlocks), contigs: causal.heldOut.contigs, validation: causal.validation.bitsPerBase, seconds: causal.seconds, tokens: causal.tokens, againstOrder0: { difference: ratio(causalBlocks) - orders[0].heldOut, interval: interval(causalBlocks, orders[0].blocks) }, againstChosen: { order: chosen.order, difference: ratio(causalBlocks) - chosen.heldOut, interval: interval(causalBlocks, chosen.blocks) } },
  markov: orders.map(withoutBlocks), chosenOrder: chosen.order,
  mlm: { accuracy: ratio(mlmBlocks), interval: interval(mlmBlocks), loss: mlm.heldOut.loss, seconds: mlm.seconds, tokens: mlm.tokens, againstChosen: { side: chosenSide.side, difference: ratio(mlmBlocks) - chosenSide.heldOut, interval: interval(mlmBlocks, chosenSide.blocks) } },
  twoSided: sides.map(withoutBlocks), chosenSide: chosenSide.side,
  finetuning: gains,
};
writeFileSync(at('summary.json'), `${JSON.stringify(summary, null, 1)}\n`);
writeFileSync(at('curve.svg'), curveSvg(JSON.parse(readFileSync(at('causal', 'pretrain.json'), 'utf8')).curve.filter(({ trainLoss }) => trainLoss !== undefined).map(({ step, trainLoss }) => [step, trainLoss / bits]), [['uniform', 2], ['Markov order 0', orders[0].heldOut], [`Markov order ${chosen.order}`, chosen.heldOut], ['causal model', ratio(causalBlocks)]]));
console.log(JSON.stringify(summary, null, 1));

/** Training loss in bits per base, and held-out levels as dashed lines. */
function curveSvg(points, levels) {
  const [width, height, left, right, top, bottom] = [660, 300, 52, 150, 14, 36];
  const [low, high] = [Math.floor(50 * Math.min(...points.map(([, y]) => y), ...levels.map(([, y]) => y))) / 50, 2.06];
  const last = points.at(-1)[0];
  const across = (x) => (left + (x / last) * (width - left - right)).toFixed(1);
  const down = (y) => (top + ((high - Math.min(y, high)) / (high - low)) * (height - top - bottom)).toFixed(1);
  const ticks = Array.from({ length: Math.round((high - low) / 0.02) + 1 }, (_, i) => low + 0.02 * i);
  let above = -Infinity;
  const names = levels.toSorted((a, b) => b[1] - a[1]).map(([name, y]) => {
    above = Math.max(above + 14, Number(down(y)));
    return `<line x1="${left}" x2="${width - right}" y1="${down(y)}" y2="${down(y)}" stroke="#888" stroke-dasharray="4 3"/><text x="${width - right + 6}" y="${above + 4}">${name} ${y.toFixed(4)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#333" role="img"><title>Bits per base: training loss of the causal model by step, and held-out values as lines</title><rect width="${width}" height="${height}" fill="#fff"/>
${ticks.map((y) => `<text x="${left - 6}" y="${Number(down(y)) + 4}" text-anchor="end">${y.toFixed(2)}</text><line x1="${left}" x2="${width - right}" y1="${down(y)}" y2="${down(y)}" stroke="#eee"/>`).join('')}
${names.join('\n')}
<path d="${points.map(([x, y], i) => `${i ? 'L' : 'M'}${across(x)} ${down(y)}`).join('')}" fill="none" stroke="#0b6" stroke-width="1.5"/>
<text x="${left}" y="${height - 8}">0</text><text x="${width - right}" y="${height - 8}" text-anchor="end">step ${last}</text>
</svg>\n`;
}
