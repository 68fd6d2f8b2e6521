import { createRandom } from './random';
import { findRecipe, plantedMotifTask, simulatedTasks, type Recipe, type SplitSizes } from './tasks';

/** A row of a set: upper-case A, C, G, T, and the index of its class. */
export interface LabelledSequence {
  readonly sequence: string;
  readonly label: number;
}

export interface SimulationOptions {
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Rows in each split; what is left out has the task's own size. */
  readonly sizes?: Partial<SplitSizes>;
  /** Bases in each sequence, instead of the task's own length. */
  readonly length?: number;
}

export interface SimulatedDataset {
  readonly train: readonly LabelledSequence[];
  readonly dev: readonly LabelledSequence[];
  readonly test: readonly LabelledSequence[];
}

/**
 * Draws the three splits of a simulated task. They are a function of the arguments alone; classes have equal shares (to within one row) and rows stand in random order.
 * @param name - of one of {@link simulatedTasks}, or of {@link plantedMotifTask}
 * @throws RangeError for an unknown task, a seed or size out of range, a length too short for the motif.
 */
export function simulateGueTask(name: string, { seed, sizes, length }: SimulationOptions): SimulatedDataset {
  const recipe = findRecipe(name);
  if (!recipe) throw new RangeError(`simulateGueTask: expected one of ${[...simulatedTasks, plantedMotifTask].map((task) => task.name).join(', ')}, got ${JSON.stringify(name)}; see simulatedTasks`);
  const bases = length ?? recipe.length;
  checkWhole('seed', seed, 0, 2 ** 32 - 1);
  checkWhole('length', bases, recipe.shortest, 1e6);
  const split = (part: keyof SplitSizes) => simulateSplit(recipe, part, sizes?.[part] ?? recipe.sizes[part], bases, seed);
  return { train: split('train'), dev: split('dev'), test: split('test') };
}

function simulateSplit(recipe: Recipe, part: string, size: number, length: number, seed: number): LabelledSequence[] {
  checkWhole(`sizes.${part}`, size, 0, 1e7);
  const purpose = `${recipe.name}/${part}`;
  const rows: LabelledSequence[] = [];
  for (let group = 0; rows.length < size; group++) {
    const drawn = recipe.draw(createRandom(seed, purpose, group), length, seed);
    rows.push(...drawn.slice(0, size - rows.length).map((letters, label) => ({ sequence: toText(letters), label })));
  }
  createRandom(seed, `${purpose}/order`).shuffle(rows);
  return rows;
}

const toText = (letters: Uint8Array) => {
  let text = '';
  for (const letter of letters) text += 'ACGT'[letter];
  return text;
};

function checkWhole(what: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most)) throw new RangeError(`simulateGueTask: expected ${what} to be a whole number from ${least} to ${most}, got ${value}; change it`);
}
