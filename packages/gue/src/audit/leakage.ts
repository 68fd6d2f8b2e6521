import { reverseComplement } from '@genomelm/genome-io';
import type { Example } from '../classifier';
import { createPause } from '../pause';
import { createGroups, mergeHomologs } from './clusters';
import { createHomologSearch, type Homolog, type HomologyThresholds } from './homologSearch';
import { findPositionalTwins, type PositionalTwins } from './positionalTwins';

export interface LeakageOptions extends HomologyThresholds {
  readonly signal?: AbortSignal;
  /** Test items that are done, of all. */
  onProgress?(done: number, total: number): void;
}

/** What of a test set can be known from the training set. All counts are of rows. */
export interface LeakageAudit {
  readonly items: number;
  /** Test rows that stand in train letter by letter (in either case). */
  readonly exactDuplicates: number;
  /** Test rows whose reverse complement stands in train. */
  readonly reverseComplementDuplicates: number;
  /** Exact duplicates of which a copy in train has another label. */
  readonly labelConflicts: number;
  /** Training rows that repeat an earlier one. */
  readonly duplicatesInTrain: number;
  /** Training rows that repeat an earlier one with another label. */
  readonly conflictsInTrain: number;
  /** Test rows that align to a training row at or above the thresholds, exact duplicates included. */
  readonly nearDuplicates: number;
  /** Near duplicates among whose training rows at least one has another label. */
  readonly oppositeLabelTwins: number;
  /** Test rows that resemble a training row of another label position by position, which no alignment of the whole may show. */
  readonly positionalTwins: PositionalTwins;
  /** Share of the near duplicates whose best training row has their label; undefined without any. At 1 the hit alone tells the class. */
  readonly labelAgreement: number | undefined;
  /** Thresholds that were used. */
  readonly identity: number;
  readonly coverage: number;
  /** The best training row of each test row, undefined for the homology-clean ones; `[items]`. */
  readonly homologs: readonly (Homolog | undefined)[];
  /** `[items]`: test rows with the same number are homologous to each other, or to the same training row; of different ones none is. For the cluster bootstrap. */
  readonly clusters: readonly number[];
}

/**
 * Searches every test row in the training rows: exact copies, copies of the other strand, near duplicates by seeds and local alignment, and what their labels say.
 * Search and not clustering: tools that cluster ask for coverage of both sequences and find splits clean that share half of every row.
 * A pair is searched as one text, so that one of its two sequences found whole reaches a coverage of about one half.
 */
export async function auditLeakage({ train, test }: { readonly train: readonly Example[]; readonly test: readonly Example[] }, options: LeakageOptions = {}): Promise<LeakageAudit> {
  const { identity = 0.8, coverage = 0.5, signal, onProgress } = options;
  if (train.length === 0 || test.length === 0) throw new RangeError(`auditLeakage: expected training and test items, got ${train.length} and ${test.length}; pass both splits`);
  const trainTexts = train.map(textOf);
  const testTexts = test.map(textOf);
  const copies = createCopySearch(trainTexts);
  const search = createHomologSearch(trainTexts, testTexts.reduce((longest, text) => Math.max(longest, text.length), 0), { identity, coverage });
  const homologs: (Homolog | undefined)[] = [];
  let [oppositeLabelTwins, agreeing] = [0, 0];
  const pause = createPause(signal);
  for (const [item, { label }] of test.entries()) {
    await pause();
    // One row of the item's label and one of another are enough; rows of a kind that is found are not aligned.
    let [same, other]: (Homolog | undefined)[] = [];
    const known = (row: number) => (train[row].label === label ? same : other) !== undefined;
    for (const found of chain(search(testTexts[item], known), () => (homologs[item] ? [] : copies(testTexts[item], reversedText(test[item]))))) {
      if (known(found.row)) continue;
      homologs[item] ??= found;
      if (train[found.row].label === label) same = found;
      else other = found;
    }
    homologs[item] ??= undefined;
    if (other) oppositeLabelTwins++;
    if (same && homologs[item] === same) agreeing++;
    onProgress?.(item + 1, test.length);
  }
  const groups = createGroups(test.length);
  await mergeHomologs(groups, testTexts, { identity, coverage }, { signal });
  const firstOf = new Map<number, number>();
  homologs.forEach((homolog, item) => {
    if (!homolog) return;
    if (firstOf.has(homolog.row)) groups.merge(firstOf.get(homolog.row)!, item);
    else firstOf.set(homolog.row, item);
  });
  const classes = 1 + [...train, ...test].reduce((largest, { label }) => Math.max(largest, label), 0);
  const nearDuplicates = homologs.filter(Boolean).length;
  return {
    items: test.length, ...exactCopies(train, trainTexts, test, testTexts), nearDuplicates, oppositeLabelTwins, positionalTwins: findPositionalTwins(train, test, classes),
    labelAgreement: nearDuplicates === 0 ? undefined : agreeing / nearDuplicates, identity, coverage, homologs, clusters: groups.numbers(),
  };
}

/** What is searched: of a pair both, with a letter between that nothing equals. */
export const textOf = ({ sequence, pair }: Example): string => (pair === undefined ? sequence : `${sequence}N${pair}`).toUpperCase();

/** Rows that equal a query: a copy of fewer than 14 bases, or one full of N, has no seed by which the search could find it. */
function createCopySearch(rows: readonly string[]): (query: string, reversed: string) => Homolog[] {
  const rowsOf = new Map<string, number[]>();
  rows.forEach((text, row) => (rowsOf.has(text) ? rowsOf.get(text)!.push(row) : rowsOf.set(text, [row])));
  return (query, reversed) => [query, reversed].flatMap((text, strand) => (rowsOf.get(text) ?? []).map((row) => ({ row, identity: 1, coverage: 1, reversed: strand === 1 })));
}

function* chain(first: Iterable<Homolog>, then: () => Iterable<Homolog>): Generator<Homolog> {
  yield* first;
  yield* then();
}

function exactCopies(train: readonly Example[], trainTexts: readonly string[], test: readonly Example[], testTexts: readonly string[]) {
  const labelsOf = new Map<string, Set<number>>();
  let [duplicatesInTrain, conflictsInTrain] = [0, 0];
  trainTexts.forEach((text, row) => {
    const known = labelsOf.get(text);
    if (known) {
      duplicatesInTrain++;
      if ([...known].some((label) => label !== train[row].label)) conflictsInTrain++;
      known.add(train[row].label);
    } else labelsOf.set(text, new Set([train[row].label]));
  });
  let [exactDuplicates, reverseComplementDuplicates, labelConflicts] = [0, 0, 0];
  testTexts.forEach((text, row) => {
    const known = labelsOf.get(text);
    if (known) exactDuplicates++;
    if (known && [...known].some((label) => label !== test[row].label)) labelConflicts++;
    if (labelsOf.has(reversedText(test[row]))) reverseComplementDuplicates++;
  });
  return { exactDuplicates, reverseComplementDuplicates, labelConflicts, duplicatesInTrain, conflictsInTrain };
}

/** Both parts of a pair on their other strands. */
function reversedText({ sequence, pair }: Example): string {
  return textOf({ sequence: reverseComplement(sequence), ...(pair === undefined ? {} : { pair: reverseComplement(pair) }), label: -1 });
}
