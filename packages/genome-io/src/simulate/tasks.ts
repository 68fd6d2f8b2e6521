// The simulated tasks, each a frozen row and a recipe that draws one sequence of every class from one stream of random numbers.
// Classes of a motif task differ in the order of the motif's letters alone: nothing can be told from composition or flanks.
import { acceptorSite, ctcf, donorSite, downstreamElement, fromConsensus, initiator, sampleMotif, shuffled, tataBox, type Motif } from './motifs';
import { perturbedChain, sampleChain, yeastChain } from './markov';
import { createRandom, type Random } from './random';

/** Rows in each split. */
export interface SplitSizes {
  readonly train: number;
  readonly dev: number;
  readonly test: number;
}

/** A simulated benchmark task in the shape of one of GUE. */
export interface SimulatedTask {
  readonly name: string;
  readonly title: string;
  /** What each label 0, 1, … means. */
  readonly classes: readonly string[];
  /** Bases in each sequence. */
  readonly length: number;
  readonly sizes: SplitSizes;
  /** How positives and negatives are made, and from which published facts. */
  readonly description: string;
}

export interface Recipe extends SimulatedTask {
  readonly shortest: number;
  /** One sequence of each class, in order; letters 0 to 3. */
  draw(random: Random, length: number, seed: number): readonly Uint8Array[];
}

const sizes: SplitSizes = { train: 2000, dev: 400, test: 1000 };
const background = (length: number, random: Random) => sampleChain(yeastChain, length, random);
const place = (sequence: Uint8Array, parts: readonly (readonly [at: number, letters: Uint8Array])[]) => {
  const copy = sequence.slice();
  for (const [at, letters] of parts) copy.set(letters, at);
  return copy;
};
/** The same background twice: with shuffled instances (class 0) and with the instances themselves (class 1). */
const contrast = (sequence: Uint8Array, parts: readonly (readonly [at: number, letters: Uint8Array])[], random: Random) =>
  [place(sequence, parts.map(([at, letters]) => [at, shuffled(letters, random)] as const)), place(sequence, parts)];

/** Index of a position relative to the transcription start +1 (there is no position 0) in a window that begins at -34. */
const relativeToStart = (position: number) => position + (position < 0 ? 34 : 33);
const complementOf = (letters: Uint8Array) => letters.map((letter) => 3 - letter).reverse();

function drawCorePromoter(random: Random, length: number) {
  const sequence = background(length, random);
  const shift = random.below(5) - 2; // annotated starts are rarely exact
  const at = (position: number, motif: Motif) => [relativeToStart(position) + shift, sampleMotif(motif, random)] as const;
  const tata = () => at(-32 + random.below(4), tataBox); // its first T at -31 to -28
  const start = at(-2, initiator);
  return contrast(sequence, random.uniform() < 0.7 ? [tata(), start] : [start, at(28, downstreamElement)], random);
}

function drawBindingSite(random: Random, length: number) {
  const sequence = background(length, random);
  const instance = sampleMotif(ctcf, random);
  return contrast(sequence, [[random.below(length - instance.length + 1), random.uniform() < 0.5 ? instance : complementOf(instance)]], random);
}

function drawSpliceSites(random: Random, length: number) {
  const cut = length >> 1;
  const [donor, acceptor, neither] = [1, 2, 3].map(() => background(length, random));
  const decoy = random.uniform() < 0.5 ? ([cut, Uint8Array.of(2, 3)] as const) : ([cut - 2, Uint8Array.of(0, 2)] as const); // GT or AG where a site would have it
  return [place(neither, [decoy]), place(donor, [[cut - 3, sampleMotif(donorSite, random)]]), place(acceptor, [[cut - 15, sampleMotif(acceptorSite, random)]])];
}

const species = ['genome A', 'genome B', 'genome C', 'genome D', 'genome E'];
function drawSpecies(random: Random, length: number, seed: number) {
  return species.map((name) => sampleChain(perturbedChain(yeastChain, 0.25, createRandom(seed, `sim_species/${name}`)), length, random));
}

const planted = fromConsensus('TGCGTACCAGTC');
function drawPlanted(random: Random, length: number) {
  return contrast(background(length, random), [[random.below(length - planted.length + 1), sampleMotif(planted, random)]], random);
}

const recipes: readonly Recipe[] = [
  {
    name: 'sim_prom_core', title: 'Simulated core promoter detection', classes: ['shuffled', 'promoter'], length: 70, shortest: 70, sizes, draw: drawCorePromoter,
    description: 'Positions -34 to +36 around a transcription start. 70 % of the promoters have a TATA box (first T at -31 to -28) and an initiator, 30 % an initiator and a downstream element, all shifted together by up to 2 bases; in the other class the letters of each instance are shuffled in place.',
  },
  {
    name: 'sim_tf', title: 'Simulated transcription factor binding', classes: ['shuffled', 'bound'], length: 101, shortest: 19, sizes, draw: drawBindingSite,
    description: 'A CTCF site at a random place on either strand; in the other class the same flanks around the shuffled letters of the site.',
  },
  {
    name: 'sim_splice', title: 'Simulated splice sites', classes: ['neither', 'donor', 'acceptor'], length: 400, shortest: 30, sizes, draw: drawSpliceSites,
    description: 'A donor or an acceptor site in the middle; the class neither has a bare GT or AG there.',
  },
  {
    name: 'sim_species', title: 'Simulated species classification', classes: species, length: 300, shortest: 1, sizes, draw: drawSpecies,
    description: 'Pieces of five genomes, each a Markov chain of order 3 that differs from the yeast genome by its own random factors.',
  },
];

/** The simulated tasks. All backgrounds come from a Markov chain of order 3 that was counted in the yeast genome. */
export const simulatedTasks: readonly SimulatedTask[] = recipes;

/** A check of a classifier rather than a benchmark: one fixed 12-mer at a random place against its shuffled letters. Whatever counts k-mers must find it (MCC above 0.9). */
export const plantedMotifTask: SimulatedTask = {
  name: 'sim_planted', title: 'Planted motif', classes: ['shuffled', 'planted'], length: 100, sizes,
  description: 'The word TGCGTACCAGTC at a random place; in the other class the same flanks around its letters in random order.',
};
const plantedRecipe: Recipe = { ...plantedMotifTask, shortest: planted.length, draw: drawPlanted };

export const findRecipe = (name: string): Recipe | undefined => [...recipes, plantedRecipe].find((recipe) => recipe.name === name);
