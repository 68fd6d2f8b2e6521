import { evaluate, parseDataset, type FittedClassifier, type ReportTask, type SequenceClassifier, type Task } from '../src/index';

// What a model package declares for itself, without importing this one: extra members, its own events, its own names.
interface ModelExample { readonly sequence: string; readonly pair?: string; readonly label: number }
type ModelProgress =
  | { readonly kind: 'step'; readonly step: number; readonly epoch: number; readonly loss: number; readonly learningRate: number; readonly tokensPerSecond: number; readonly secondsLeft: number }
  | { readonly kind: 'evaluation'; readonly step: number; readonly epoch: number; readonly devScore: number };
interface ModelFitOptions { classes: number; hyperparameters: Readonly<Record<string, number | string | boolean>>; seed: number; signal?: AbortSignal; onProgress?(event: ModelProgress): void }
interface ModelClassifier {
  readonly id: string;
  readonly fingerprint: string;
  readonly config: { readonly hiddenSize: number };
  fit(train: readonly ModelExample[], dev: readonly ModelExample[], options: ModelFitOptions): Promise<{
    readonly parameters: Readonly<Record<string, Float32Array>>;
    readonly report: Readonly<Record<string, number>>;
    predict(examples: readonly ModelExample[]): Promise<Float32Array>;
    dispose(): Promise<void>;
  }>;
}

const modelClassifier: ModelClassifier = {
  id: 'tiny', fingerprint: 'abc', config: { hiddenSize: 64 },
  async fit(_train, _dev, { classes, onProgress }) {
    onProgress?.({ kind: 'step', step: 1, epoch: 1, loss: 0.1, learningRate: 1e-3, tokensPerSecond: 10, secondsLeft: 0 });
    return { parameters: {}, report: { parameters: 1 }, predict: async (examples) => new Float32Array(examples.length * classes).fill(1 / classes), dispose: async () => undefined };
  },
};

// These lines are the test: they compile, or the type check fails.
const fits: SequenceClassifier = modelClassifier;
const smallest = { id: 'a', fingerprint: '1', fit: async () => ({ predict: async () => new Float32Array(2).fill(0.5) }) } satisfies SequenceClassifier;
const fitted: FittedClassifier = { predict: async (examples) => new Float32Array(examples.length) };
const reportable = (task: Task): ReportTask => task;
// @ts-expect-error A classifier without a fingerprint could not be told from another one.
const nameless: SequenceClassifier = { id: 'a', fit: smallest.fit };
// @ts-expect-error Probabilities come as float32, not as a list of lists.
const lists: FittedClassifier = { predict: async () => [[0.5, 0.5]] };

test('a plain object of a model package runs in the harness', async () => {
  const task = { name: 't', version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
  const csv = 'sequence,label\nACGT,0\nGGCC,1\n';
  const record = await evaluate({ task, dataset: await parseDataset(task, { train: csv, dev: csv, test: csv }), classifier: fits, resamples: 10 });
  expect(record).toMatchObject({ model: 'tiny', report: { parameters: 1 }, curve: [{ step: 1, trainLoss: 0.1 }] });
  expect([smallest, fitted, reportable, nameless, lists]).toHaveLength(5);
});
