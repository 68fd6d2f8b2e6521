// Compile-time claims: what the benchmark asks for, copied from its own interface, is what this package gives. They fail in the type check; nothing imports the benchmark.
import { createSequenceClassifier, type Encoder } from '../src';
import { kmerEncoder } from './motif';

interface Example { readonly sequence: string; readonly pair?: string; readonly label: number }
type Progress =
  | { readonly kind: 'step'; readonly step: number; readonly epoch: number; readonly loss: number; readonly learningRate?: number; readonly tokensPerSecond?: number; readonly secondsLeft?: number }
  | { readonly kind: 'evaluation'; readonly step: number; readonly epoch: number; readonly devScore: number; readonly devLoss?: number };
interface FitOptions { classes: number; hyperparameters: Readonly<Record<string, number | string | boolean>>; seed: number; signal?: AbortSignal; onProgress?(event: Progress): void }
interface SequenceClassifier { readonly id: string; readonly fingerprint: string; fit(train: readonly Example[], dev: readonly Example[], options: FitOptions): Promise<FittedClassifier> }
interface FittedClassifier { predict(examples: readonly Example[]): Promise<Float32Array>; readonly report?: Readonly<Record<string, number>>; dispose?(): Promise<void> }

/** Every tokenizer has at least this. */
interface Tokenizer {
  readonly vocabSize: number;
  readonly specialIds: Readonly<Partial<Record<'unk' | 'cls' | 'sep' | 'pad' | 'mask', number>>>;
  encode(sequence: string | Uint8Array, options?: { readonly addSpecialTokens?: boolean | undefined; readonly pair?: string | Uint8Array | undefined; readonly maxLength?: number | undefined }): Uint32Array;
}

const asClassifier: (...arguments_: Parameters<typeof createSequenceClassifier>) => SequenceClassifier = createSequenceClassifier;
const asEncoder = (tokenizer: Tokenizer): Encoder => tokenizer;

test('a classifier fits the benchmark and a tokenizer fits a classifier', () => {
  expect(asClassifier).toBe(createSequenceClassifier);
  expect(asEncoder(kmerEncoder(2) as Tokenizer).vocabSize).toBe(21);
});
