import type { Interval, RunRecord } from '../src/runRecord';
import type { Aggregate, PairedDifference, ReportInput, ReportTask } from '../src/report/input';

// Scores of the sample are made up around what the models reach; only the published rows are facts.
const interval = (value: number, half: number): Interval => ({ low: value - half, high: value + half * 0.92, level: 0.95, method: 'percentile', resamples: 10_000 });
const parameters = { 'DNABERT-3mer': 86e6, 'NT-2500M-multi': 2.537e9, 'DNABERT-2': 117e6 };
const published = (scores: readonly number[]) => Object.entries(parameters).map(([model, size], i) => ({ model, score: scores[i], parameters: size }));
const row = (name: string, bp: number, classes: number, sizes: readonly number[], scores: readonly number[], metric = 'mcc'): ReportTask =>
  ({ name, metric, classes, bp, declaredSizes: { train: sizes[0], dev: sizes[1], test: sizes[2] }, published: published(scores) });

const sampleTasks: readonly (ReportTask & { readonly means: Readonly<Record<string, number>> })[] = [
  { ...row('prom_core_tata', 70, 2, [4904, 613, 613], [78.15, 72.97, 74.17]), means: { small: 77.6, 'dnabert2-shape': 43.6, majority: 0, composition: 36.4, kmer: 46.5, onehot: 73.1 } },
  { ...row('prom_300_tata', 300, 2, [4904, 613, 613], [69.83, 79.43, 71.59]), means: { small: 73.2, 'dnabert2-shape': 24.9, majority: 0, composition: 21.4, kmer: 42.8, onehot: 74.3 } },
  { ...row('mouse_2', 101, 2, [2620, 328, 328], [69.9, 71.52, 79.32]), means: { small: 78.9, 'dnabert2-shape': 70.2, majority: 0, composition: -7.4, kmer: 75.2, onehot: 25.7 } },
  { ...row('tf_3', 101, 2, [27294, 1000, 1000], [53.03, 51.65, 58.54]), means: { small: 48.8, 'dnabert2-shape': 36.6, majority: 0, composition: 7.2, kmer: 49.6, onehot: 2.2 } },
  { ...row('tf_0', 101, 2, [32378, 1000, 1000], [67.95, 66.64, 71.99]), means: { small: 67.4, 'dnabert2-shape': 61.0, majority: 0, composition: 51.4, kmer: 64.3, onehot: 2 } },
  { ...row('emp_H3', 500, 2, [11971, 1497, 1497], [74.15, 78.77, 78.27]), means: { small: 71.1, 'dnabert2-shape': 62.5, majority: 0, composition: 53.1, kmer: 66.2, onehot: 28 } },
  { ...row('splice_reconstructed', 400, 3, [36496, 4562, 4562], [84.14, 89.36, 84.99]), means: { small: 61.3, 'dnabert2-shape': 18.4, majority: 0, composition: 19.2, kmer: 33.1, onehot: 66.8 } },
  { ...row('virus_covid', 999, 9, [77669, 7000, 7000], [62.23, 73.04, 71.02], 'f1Macro'), means: { small: 58.1, 'dnabert2-shape': 44.9, majority: 2.6, composition: 9.4, kmer: 66, onehot: 41.7 } },
];

/** Predictions of which about the right number hit, spread over the classes without any randomness. */
function predictions(classes: number, items: number, score: number, seed: number): RunRecord['predictions'] {
  const labels = Array.from({ length: items }, (_, i) => i % classes);
  const predicted = labels.map((label, i) => (((i * 7919 + seed * 104_729) % 1000) / 1000 < score + (1 - score) / classes ? label : (label + 1 + ((i * 31 + seed) % Math.max(classes - 1, 1))) % classes));
  return { labels, predicted, probabilities: [] };
}

const homology = (task: (typeof sampleTasks)[number], items: number, value: number): NonNullable<RunRecord['homology']> => {
  const homologousItems = Math.round(items * (task.name === 'mouse_2' ? 0.42 : 0.11));
  const [clean, matched] = [value - 0.04, value - 0.035];
  const score = (mean: number, of: number) => [{ metric: task.metric, value: mean, items: of, interval: interval(mean, 2 / Math.sqrt(of)) }];
  return {
    identity: 0.8, coverage: 0.5, leaks: { exactDuplicates: 16, reverseComplementDuplicates: 0, labelConflicts: 1, duplicatesInTrain: 57, nearDuplicates: homologousItems, oppositeLabelTwins: 11, positionalTwins: 5, labelAgreement: 0.881 },
    cleanItems: items - homologousItems, homologousItems, cleanClassCounts: [], clean: score(clean, items - homologousItems), homologous: score(value + 0.1, homologousItems), matched,
    gap: { value: 0.14, interval: interval(0.14, 0.11) }, clustered: { clusters: items - Math.round(homologousItems / 2), interval: interval(value, 2.1 / Math.sqrt(items)) },
  };
};

const calibration = (items: number, value: number): NonNullable<RunRecord['calibration']> => ({
  logLoss: 0.7 - 0.4 * value, expectedCalibrationError: 0.083, brier: 0.2, auroc: (1 + value) / 2, auprc: (1 + value) / 2,
  bins: [0.55, 0.65, 0.75, 0.85, 0.95].map((confidence, i) => ({ items: Math.round((items * (i + 1)) / 15), confidence, accuracy: confidence - 0.02 * i })),
});

function record(task: (typeof sampleTasks)[number], model: string, seed: number, simulated: boolean): RunRecord {
  const mean = task.means[model] / 100;
  const isModel = model === 'small' || model === 'dnabert2-shape';
  const value = mean + (isModel ? [0.004, -0.013, 0.009][seed] : 0);
  const test = task.name === 'virus_covid' ? 9168 : task.declaredSizes!.test!;
  const sizes = task.name === 'virus_covid' ? { train: 73335, dev: 9166, test } : { train: task.declaredSizes!.train!, dev: task.declaredSizes!.dev!, test };
  const steps = isModel ? 120 : 0;
  const collapsed = model === 'majority';
  return {
    schema: 'genomelm-run/1', task: task.name, simulated, kind: isModel ? 'model' : 'baseline', model, fingerprint: `${model}-${task.name}-${seed}`.split('').map((c) => c.charCodeAt(0).toString(16)).join('').padEnd(64, '0').slice(-64), seed,
    hyperparameters: isModel ? { position: model === 'small' ? 'learned' : 'none', hiddenSize: 64, numLayers: 2, numHeads: 4, learningRate: 1e-3, tokensPerBatch: 2048, dropout: 0.1, epochs: test > 900 ? 2 : 8 } : model === 'kmer' ? { minimumK: 3, maximumK: 6, C: test > 900 ? 1e-4 : 3e-4 } : {},
    data: { sha256: { train: 'a1'.repeat(32), dev: 'b2'.repeat(32), test: 'c3'.repeat(32) }, sizes, testClassCounts: Array.from({ length: task.classes }, (_, c) => Math.floor((test + c) / task.classes)) },
    report: isModel ? { parameters: model === 'small' ? 431_618 : 398_850, tokensPerBase: model === 'small' ? 0.97 : 0.21, truncatedFraction: model === 'small' ? 0 : task.name.startsWith('splice') ? 0.62 : task.name === 'prom_300_tata' ? 0.047 : 0, bestEpoch: 2 + seed } : { devScore: mean + 0.01 },
    predictions: predictions(task.classes, test, Math.max(value, 0), seed), scores: [{ metric: task.metric, value, items: test, interval: interval(value, collapsed ? 0 : 1.9 / Math.sqrt(test)) }, { metric: 'accuracy', value: (1 + value) / 2, items: test }],
    calibration: calibration(test, Math.max(value, 0)), collapsed, homology: homology(task, test, value), device: isModel ? 'wasm' : 'cpu',
    curve: Array.from({ length: steps }, (_, i) => {
      const part = (i + 1) / steps;
      return { step: (i + 1) * 10, epoch: Math.floor(part * 8), trainLoss: 0.69 * Math.exp(-2.2 * part * Math.max(mean, 0.05)) + 0.035 * Math.sin(i * 12.9898 + seed), ...(i % 12 === 11 && { devScore: mean * (1 - Math.exp(-4 * part)) + 0.012 * Math.sin(i + 2 * seed) }) };
    }),
    cost: { fitSeconds: isModel ? (model === 'small' ? 92.4 : 41.7) + 3 * seed : model === 'kmer' ? 8.3 : 0.4, predictSeconds: isModel ? 1.3 : 0.06, peakMemoryBytes: (isModel ? 388 : 142) * 2 ** 20, device: isModel ? 'wasm' : 'cpu', threads: isModel ? 2 : 1 },
  };
}

/** Eight tasks, two models with three seeds, three or four baselines, published rows: what a full run leaves behind. */
export function sampleReport(simulated: boolean): ReportInput {
  const records = sampleTasks.flatMap((task) => [
    ...['small', 'dnabert2-shape'].flatMap((model) => [0, 1, 2].map((seed) => record(task, model, seed, simulated))),
    ...['majority', 'composition', 'kmer', 'onehot'].map((model) => record(task, model, 0, simulated)),
  ]);
  const aggregates: readonly Aggregate[] = sampleTasks.flatMap((task) => ['small', 'dnabert2-shape'].map((model) => {
    const values = records.filter((r) => r.task === task.name && r.model === model).map((r) => r.scores[0].value);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { task: task.name, model, seeds: 3, mean, interval: interval(mean, 1.7 / Math.sqrt(task.declaredSizes!.test!)) };
  }));
  const differences: readonly PairedDifference[] = aggregates.flatMap(({ task, model, mean }) => ['kmer', 'onehot'].map((baseline) => {
    const row = sampleTasks.find(({ name }) => name === task)!;
    const difference = mean - row.means[baseline] / 100;
    return { task, model, baseline, difference, interval: interval(difference, 1.3 / Math.sqrt(row.declaredSizes!.test!)), pValue: Math.min(1, Math.exp(-Math.abs(difference) * 60)) };
  }));
  return {
    title: simulated ? 'GUE-shaped sets: encoders from scratch' : 'GUE: encoders from scratch beside baselines', records, tasks: sampleTasks, aggregates, differences,
    provenance: { command: 'npm start -- --data GUE --seeds 0,1,2', genomelm: '0.1.0', node: 'v20.20.2', machine: '2 cores, linux x64', 'bootstrap': '10,000 resamples, seed 0' },
    recordPaths: records.map((r) => `runs/${r.task}/${r.model}-seed${r.seed}.json`),
  };
}
