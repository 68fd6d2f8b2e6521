import { count, listed, magnitude, percent, plural, points, share } from './format';
import { splits } from './input';
import { isComparable, reported, rowsOf, scoreOf, type Comparison, type Row, type Summary, type TaskSummary } from './summary';

/** The outcome in plain sentences, for the head of the page and the foot of the terminal table. */
export function verdictSentences(summary: Summary): readonly string[] {
  const ran = summary.tasks.filter((task) => rowsOf(task).length > 0);
  const notRun = summary.tasks.filter((task) => !ran.includes(task)).map((task) => task.task.name);
  const withoutBaseline = ran.filter((task) => !task.best).map((task) => task.task.name);
  return [
    ...summary.models.flatMap((model) => verdictOf(model, summary)),
    ...(withoutBaseline.length && summary.models.length ? [`No baseline was run on ${listed(withoutBaseline)}, so nothing says whether the scores there are good.`] : []),
    ...(notRun.length ? [`Not run: ${listed(notRun)}.`] : []),
  ];
}

function verdictOf(model: string, summary: Summary): readonly string[] {
  const found = summary.tasks.flatMap((task) => task.models.filter((row) => row.model === model).map((row) => ({ name: task.task.name, row })));
  const named = (verdict: Comparison['verdict']) => found.filter(({ row }) => row.comparison?.verdict === verdict).map(({ name }) => name);
  const [above, unclear, below] = [named('above'), named('unclear'), named('below')];
  const parameters = reported(found.flatMap(({ row }) => row.records), 'parameters');
  const most = Math.max(...found.map(({ row }) => row.records.length));
  const collapsed = found.flatMap(({ name, row }) => row.records.filter((record) => record.collapsed).map((record) => `${name} with seed ${record.seed}`));
  const compared = above.length + unclear.length + below.length;
  const parts = ([['above', above], ['not separated from', unclear], ['below', below]] as const).filter(([, names]) => names.length)
    .map(([word, names], i) => `${word} ${i === 0 ? 'the best baseline' : 'it'} on ${names.length}${i === 0 ? ` of ${plural(compared, 'task')}` : ''} (${listed(names)})`);
  const subject = `${model} (${parameters === undefined ? '' : `${magnitude(parameters)} parameters, `}${plural(most, 'seed')})`;
  return [
    compared ? `${subject} is ${listed(parts)}.` : `${subject} was run on ${listed(found.map(({ name }) => name))}.`,
    ...(collapsed.length ? [`${model} predicted one class only on ${listed(collapsed)}.`] : []),
  ];
}

/** How "above" and "below" were decided. */
export function verdictBasis(summary: Summary): string {
  const comparisons = summary.tasks.flatMap((task) => task.models.flatMap((row) => row.comparison ?? []));
  const paired = comparisons.filter((comparison) => comparison.interval).length;
  const onDev = summary.tasks.flatMap((task) => (task.best ? [task.best.chosenOn === 'dev'] : []));
  const [byPair, byBounds] = ['the interval of the paired difference leaves zero out', 'the two intervals do not overlap'];
  const means = paired === comparisons.length ? byPair : paired === 0 ? byBounds : `${byPair} or, where there is none, ${byBounds}`;
  const choice = onDev.every(Boolean) ? 'by its dev score'
    : onDev.some(Boolean) ? 'by its dev score or, where a baseline has none, by its test score, the harder choice for the model'
      : 'by its test score (dev scores are not known), the harder choice for the model';
  return `Above and below mean that ${means}; anything else is "not separated". The best baseline of a task was chosen ${choice}.`;
}

/** What follows from the records for a reader who is about to draw a conclusion. */
export function meaningSentences(summary: Summary): readonly string[] {
  return [simulatedNote, promoterNote, positionNote, compositionNote, truncationNote, homologyNote, seedNote, sizeNote, publishedNote].flatMap((note) => note(summary) ?? []);
}

const bestModel = (task: TaskSummary): Row | undefined => (task.models.length ? task.models.reduce((best, row) => (row.mean > best.mean ? row : best)) : undefined);

const simulatedNote = (summary: Summary) =>
  summary.simulated
    ? 'Simulated sets are made by a program with planted signals. A score on them shows that the whole chain works; it says nothing about real genomes and cannot stand beside a published number.'
    : undefined;

const promoterNote = (summary: Summary) =>
  summary.tasks.some((task) => !task.simulated && /^prom_/.test(task.task.name) && task.models.length)
    ? 'The promoter sets are aligned to the transcription start, so that their signals stand at known places: they reward local composition and absolute position, '
      + 'which a small model can learn from scratch. A high score there is no evidence of long-range understanding.'
    : undefined;

function positionNote(summary: Summary): string | undefined {
  const without = summary.models.filter((model) => hyperparameter(summary, model, 'position') === 'none');
  const withTable = summary.models.filter((model) => hyperparameter(summary, model, 'position') === 'learned');
  if (!without.length) return undefined;
  const other = withTable.length ? ` ${listed(withTable)} ${withTable.length === 1 ? 'adds' : 'add'} a learned table of positions.` : '';
  return `${listed(without)} ${without.length === 1 ? 'has' : 'have'} ALiBi alone, as upstream's DNABERT-2: it knows distances between tokens and no absolute position.${other}`;
}

const hyperparameter = (summary: Summary, model: string, name: string) => summary.input.records.find((record) => record.model === model)?.hyperparameters[name];

function compositionNote(summary: Summary): string | undefined {
  const close = summary.tasks.filter((task) => {
    const kmer = task.baselines.find((row) => /^k-?mer$/i.test(row.model));
    const best = bestModel(task);
    return kmer?.interval && best && kmer.interval.low > 0 && kmer.mean >= best.mean - 0.02; // where both are at chance, nothing is rewarded
  }).map((task) => task.task.name);
  return close.length ? `On ${listed(close)} k-mer frequencies alone come within 2 points of the best model or pass it: what ${close.length === 1 ? 'this set rewards' : 'these sets reward'} is local composition.` : undefined;
}

function truncationNote(summary: Summary): string | undefined {
  const cut = summary.tasks.flatMap((task) => task.models.flatMap((row) => {
    const part = reported(row.records, 'truncatedFraction');
    return part !== undefined && part > 0.05 ? [`${share(part)} of the test sequences of ${task.task.name} for ${row.model}`] : [];
  }));
  return cut.length ? `Sequences longer than the token limit were cut, and the model never saw the rest: ${listed(cut)}.` : undefined;
}

/** Names who scores higher, and who lower, on test items that resemble training items: memory, or twins with the other label. */
function homologyNote(summary: Summary): string | undefined {
  const named = (sign: number) => summary.tasks.flatMap((task) => task.models.concat(task.best ? [task.best.row] : []).flatMap(({ model, clean }) => {
    const gap = clean?.gap;
    if (!gap || (sign > 0 ? gap.interval.low <= 0 : gap.interval.high >= 0)) return [];
    return [{ size: Math.abs(gap.value), text: `${model} on ${task.task.name} (${percent(clean.mean)} without the ${count(clean.homologousItems)} items, ${points(gap.value)} on them)` }];
  }));
  const widest = (cases: readonly { readonly size: number; readonly text: string }[]) => {
    const texts = [...cases].sort((a, b) => b.size - a.size).slice(0, 4).map(({ text }) => text);
    return cases.length > texts.length ? `${plural(cases.length, 'pair')} of model and task, most of all ${listed(texts)}` : listed(texts);
  };
  const [above, below] = [named(1), named(-1)];
  if (!above.length && !below.length) return undefined;
  return [
    ...(above.length ? [`Test items that have a near duplicate in train are easier than the rest, by more than chance, for ${widest(above)}: there a score may be memory. Compare models on the homology-clean items.`] : []),
    ...(below.length ? [`They are harder for ${widest(below)}: their training twins often carry another label.`] : []),
  ].join(' ');
}

function seedNote(summary: Summary): string | undefined {
  const spreads = summary.tasks.flatMap((task) => task.models.filter((row) => row.records.length > 1).map((row) => {
    const values = row.records.map((record) => scoreOf(record, task.task.metric).value);
    return { task: task.task.name, model: row.model, spread: Math.max(...values) - Math.min(...values) };
  }));
  if (!spreads.length) return undefined;
  const widest = spreads.reduce((most, next) => (next.spread > most.spread ? next : most));
  return `The seed alone moves a score by up to ${percent(widest.spread)} points (${widest.model} on ${widest.task}). A single run that differs by less, published rows included, proves nothing.`;
}

function sizeNote(summary: Summary): string | undefined {
  const differing = summary.tasks.filter((task) => splits.some((split) => otherSizes(task, split).length)).map((task) => task.task.name);
  return differing.length ? `The files of ${listed(differing)} have other sizes than declared (see Data). The scores are of the files as they are.` : undefined;
}

/** What was noted when the task's files were read. */
export const dataNotes = (task: TaskSummary): readonly string[] => rowsOf(task)[0]?.records[0].data.notes ?? [];

/** What others declare about the size of a split, where the run's file differs: "declared 77,669". */
export function otherSizes(task: TaskSummary, split: (typeof splits)[number]): readonly string[] {
  const size = rowsOf(task)[0]?.records[0].data.sizes[split];
  if (size === undefined || task.simulated) return [];
  const { declaredSizes, paperSizes } = task.task;
  return ([['declared', declaredSizes], ['paper', paperSizes]] as const).flatMap(([word, sizes]) => (sizes?.[split] !== undefined && sizes[split] !== size ? [`${word} ${count(sizes[split])}`] : []));
}

function publishedNote(summary: Summary): string | undefined {
  const rows = summary.tasks.filter((task) => task.models.length).flatMap((task) => (task.task.published ?? []).map((row) => isComparable(row, task)));
  if (!rows.length) return undefined;
  const why = ' Rows marked "not comparable" are of models at least ten times larger or of unknown size, or stand beside simulated data: they give the scale, not a contest.';
  return `Published rows are single runs without intervals, under their authors' own protocol.${rows.every(Boolean) ? '' : why}`;
}

const verdictWords = { above: 'above', unclear: 'not separated from', below: 'below' } as const;

/** "above kmer, +31.1". */
export const comparisonText = ({ verdict, baseline, difference }: Comparison): string => `${verdictWords[verdict]} ${baseline}, ${points(difference)}`;

/** "613 test items, 2 classes (304 and 309), 70 bp". */
export const taskFacts = (task: TaskSummary): string => {
  const data = rowsOf(task)[0]?.records[0].data;
  const balance = data && data.testClassCounts.length <= 5 ? ` (${listed(data.testClassCounts.map(count))})` : '';
  return [data === undefined ? 'not run' : `${count(data.sizes.test)} test items`, `${task.task.classes} classes${balance}`, ...(task.task.bp === undefined ? [] : [`${count(task.task.bp)} bp`])].join(', ');
};
