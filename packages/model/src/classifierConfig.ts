// What a classifier's outputs mean, and how config.json says so.
import { requireSetting } from './configJson';
import { FormatError } from './errors';

/** In config.json `problem_type` and `id2label`; a classifier of tokens has an architecture that ends in `ForTokenClassification`. */
export interface ClassifierConfig {
  readonly problemType: 'single_label_classification' | 'multi_label_classification' | 'regression';
  readonly level: 'sequence' | 'token';
  /** Names of the outputs, in order. */
  readonly labels: readonly string[];
}

/** @throws RangeError for outputs without names, or with one name twice */
export function checkClassifier(classifier: ClassifierConfig | undefined): void {
  if (classifier) requireSetting(classifier.labels.length > 0 && new Set(classifier.labels).size === classifier.labels.length, 'classifier.labels to name each output once', classifier.labels);
}

/** What outputs mean where nobody said, as transformers takes them: one is a number, several are classes. */
export const usualProblemType = (outputs: number): ClassifierConfig['problemType'] => (outputs === 1 ? 'regression' : 'single_label_classification');

/** Reads `id2label`, `problem_type` and `architectures`; nothing without `id2label`. @throws FormatError */
export function parseClassifier({ id2label, problem_type, architectures }: Readonly<Record<string, unknown>>): { readonly classifier?: ClassifierConfig } {
  if (!id2label) return {};
  const names = Object.entries(id2label as object).sort(([a], [b]) => Number(a) - Number(b));
  const problemType = problem_type ?? usualProblemType(names.length); // transformers writes null where nobody said
  if (!names.length || names.some(([id, name], i) => Number(id) !== i || typeof name !== 'string')) throw new FormatError(`parseConfig: expected id2label {"0": "name", "1": …}, got ${JSON.stringify(id2label)}`, { format: 'config.json' });
  if (!problemTypes.includes(problemType as ClassifierConfig['problemType'])) throw new FormatError(`parseConfig: expected problem_type ${problemTypes.join(', ')}, got ${JSON.stringify(problemType)}`, { format: 'config.json' });
  const level = Array.isArray(architectures) && architectures.some((name) => String(name).endsWith('ForTokenClassification')) ? 'token' : 'sequence';
  return { classifier: { problemType: problemType as ClassifierConfig['problemType'], level, labels: names.map(([, name]) => name as string) } };
}

const problemTypes: readonly ClassifierConfig['problemType'][] = ['single_label_classification', 'multi_label_classification', 'regression'];

/** The keys that `parseClassifier` reads, but for `architectures`. */
export const classifierJson = (classifier: ClassifierConfig | undefined): Record<string, unknown> =>
  (classifier ? { problem_type: classifier.problemType, id2label: { ...classifier.labels }, label2id: Object.fromEntries(classifier.labels.map((name, i) => [name, i])) } : {});
