import { createHomologSearch, type Homolog } from '../audit/homologSearch';
import type { Example, SequenceClassifier } from '../classifier';
import { createPause } from '../pause';
import { chooseOnDev, logPriors, type Candidate } from './candidates';

/** From lenient to strict: least identity and coverage of a neighbour that is believed. */
const thresholds = [[0.7, 0.3], [0.8, 0.5], [0.9, 0.5], [0.95, 0.9]] as const;

/**
 * The label of the training row that aligns best, the classes' shares where none does: pure memory.
 * What it gets right needs no model; see the homology-clean scores beside it. How alike a neighbour must be is chosen on dev.
 */
export function nearestNeighbour(): SequenceClassifier {
  return {
    id: 'nearest',
    fingerprint: `nearest/1 ${JSON.stringify(thresholds)}`,
    async fit(train, dev, options) {
      const { classes, signal } = options;
      const shares = logPriors(train, classes).map(Math.exp);
      const texts = train.map(textOf);
      const find = (examples: readonly Example[]): Promise<(Homolog | undefined)[]> => neighboursOf(texts, examples, signal);
      const predict = (neighbours: readonly (Homolog | undefined)[], [identity, coverage]: (typeof thresholds)[number]): Float32Array => {
        const probabilities = new Float32Array(neighbours.length * classes);
        neighbours.forEach((neighbour, row) => {
          const trusted = neighbour && neighbour.identity >= identity && neighbour.coverage >= coverage;
          // Of a trusted neighbour nine parts of ten go to its label, so that the others stay possible.
          shares.forEach((share, k) => (probabilities[row * classes + k] = trusted ? 0.1 * share + (train[neighbour.row].label === k ? 0.9 : 0) : share));
        });
        return probabilities;
      };
      const devNeighbours = await find(dev);
      const candidates = thresholds.map((pair): Candidate & { readonly pair: typeof pair } => ({ name: `identity ${pair[0]}, coverage ${pair[1]}`, report: { identity: pair[0], coverage: pair[1] }, predict: () => predict(devNeighbours, pair), pair }));
      const { chosen, devScore } = chooseOnDev('nearest', candidates, dev, options);
      return { predict: async (examples) => predict(await find(examples), chosen.pair), report: { ...chosen.report, devScore } };
    },
  };
}

const textOf = ({ sequence, pair }: Example): string => (pair === undefined ? sequence : `${sequence}N${pair}`);

async function neighboursOf(train: readonly string[], examples: readonly Example[], signal: AbortSignal | undefined): Promise<(Homolog | undefined)[]> {
  const queries = examples.map(textOf);
  const search = createHomologSearch(train, queries.reduce((longest, query) => Math.max(longest, query.length), 0), { identity: thresholds[0][0], coverage: thresholds[0][1] });
  const pause = createPause(signal);
  const found: (Homolog | undefined)[] = [];
  for (const query of queries) {
    await pause();
    const [first] = search(query);
    found.push(first);
  }
  return found;
}
