import { knownHashes } from './knownHashes';
import { nearestNames } from './nearestNames';
import { publishedScores } from './published';
import type { Split, Task, UpstreamSettings } from './task';

type Sizes = readonly [train: number, dev: number, test: number];
type Row = Pick<Task, 'name' | 'benchmark' | 'family' | 'folder' | 'description' | 'classes' | 'bp'> &
  Partial<Pick<Task, 'pair' | 'metric' | 'licence' | 'citation' | 'devEvery' | 'declaredSizes'>> & { sizes?: Sizes; paperSizes?: Sizes; upstream: UpstreamSettings };

const script = { batchSize: 32, learningRate: 3e-5, weightDecay: 0.01 } as const;
const epi = { batchSize: 32, learningRate: 2e-5 } as const;

/** The 28 GUE and 8 GUE+ tasks, and the two enhancer tasks of the Nucleotide Transformer. */
export const tasks: readonly Task[] = Object.freeze([
  ...epigeneticMarks({
    H3: [11971, 1497, 1497], H3K14ac: [26438, 3305, 3305], H3K36me3: [27904, 3488, 3488], H3K4me1: [25341, 3168, 3168], H3K4me2: [24545, 3069, 3069],
    H3K4me3: [29439, 3680, 3680], H3K79me3: [23069, 2884, 2884], H3K9ac: [22224, 2779, 2779], H4: [11679, 1461, 1461], H4ac: [27275, 3410, 3410],
  }),
  ...promoters('prom_core', 'core promoter detection, human', 70, 20),
  ...promoters('prom_300', 'promoter detection, human', 300, 70),
  ...transcriptionFactors('tf', 'human', { ...script, maxTokens: 30, epochs: 3, warmupSteps: 30, evalEverySteps: 200 }, [
    ['wgEncodeEH000552', [32378, 1000, 1000]], ['wgEncodeEH000606', [30672, 1000, 1000]], ['wgEncodeEH001546', [19000, 1000, 1000]],
    ['wgEncodeEH001776', [27294, 1000, 1000]], ['wgEncodeEH002829', [19000, 1000, 1000]],
  ]),
  ...transcriptionFactors('mouse', 'mouse', { ...script, maxTokens: 30, epochs: 5, maxSteps: 1000, warmupSteps: 30, evalEverySteps: 200 }, [
    ['Ch12Nrf2Iggrab', [6478, 810, 810]], ['Ch12Znf384hpa004051Iggrab', [53952, 6745, 6745]], ['MelJundIggrab', [2620, 328, 328]],
    ['MelMafkDm2p5dStd', [1904, 239, 239]], ['MelNelfeIggrab', [15064, 1883, 1883]],
  ]),
  task({
    name: 'splice_reconstructed', benchmark: 'GUE', family: 'splice site detection, human', folder: 'splice/reconstructed', description: 'donor, acceptor or neither',
    classes: 3, bp: 400, sizes: [36496, 4562, 4562], upstream: { ...script, maxTokens: 80, epochs: 5, warmupSteps: 50, evalEverySteps: 200 },
  }),
  task({
    name: 'virus_covid', benchmark: 'GUE', family: 'variant classification, SARS-CoV-2', folder: 'virus/covid', description: 'nine variants of SARS-CoV-2',
    classes: 9, bp: 999, metric: 'f1Macro', sizes: [73335, 9166, 9168], paperSizes: [77669, 7000, 7000],
    licence: 'Derived from GISAID EpiCoV, whose terms of use restrict redistribution.',
    upstream: { ...script, batchSize: 128, maxTokens: 256, epochs: 8, warmupSteps: 50, evalEverySteps: 200 },
  }),
  ...['GM12878', 'HeLa-S3', 'HUVEC', 'IMR90', 'K562', 'NHEK'].map((cell) => task({
    name: `epi_${cell}`, benchmark: 'GUE+', family: 'enhancer-promoter interaction, human', folder: `EPI/${cell}`, description: `enhancer and promoter in ${cell}`,
    classes: 2, bp: 5000, pair: true, ...(cell === 'GM12878' ? { sizes: [10000, 2000, 2000] as Sizes } : {}), upstream: epi,
  })),
  task({
    name: 'fungi_species_20', benchmark: 'GUE+', family: 'species classification', folder: 'fungi_species_20', description: 'species of fungi',
    classes: 20, bp: 10000, sizes: [8000, 1000, 1000], upstream: epi,
  }),
  task({
    name: 'virus_species_40', benchmark: 'GUE+', family: 'species classification', folder: 'virus_species_40', description: 'species of viruses',
    classes: 25, bp: 5000, sizes: [4000, 500, 500], upstream: epi,
  }),
  ...enhancers(),
]);

/** Beside GUE's 28 the tasks on which dnaGrinder was measured. They come without a development set. */
function enhancers(): Task[] {
  const kinds: readonly (readonly [string, number, string])[] = [['enhancers', 2, 'enhancer or not'], ['enhancers_types', 3, 'strong enhancer, weak enhancer or neither']];
  return kinds.map(([kind, classes, description]) => task({
    name: `nt_${kind}`, benchmark: 'NT', family: 'enhancer prediction, human', folder: `NT/${kind}`, description, classes, bp: 200, declaredSizes: Object.freeze({ train: 14968, test: 400 }), devEvery: 10,
    citation: 'Dalla-Torre H. et al. (2024). Nucleotide Transformer: building and evaluating robust foundation models for human genomics. Nature Methods. Data from Liu B. et al. (2016). iEnhancer-2L. Bioinformatics 32, 362.',
    licence: "The Nucleotide Transformer's repository is under CC BY-NC-SA 4.0.",
    upstream: { batchSize: 32, learningRate: 3e-5 },
  }));
}

function task({ sizes, paperSizes, upstream, ...row }: Row): Task {
  const sha256 = knownHashes[row.name];
  const bySplit = ([train, dev, test]: Sizes): Readonly<Record<Split, number>> => Object.freeze({ train, dev, test });
  return Object.freeze({
    version: '1', pair: false, metric: 'mcc', licence: 'None is stated for the data; the DNABERT-2 repository is under Apache-2.0.',
    citation: 'Zhou Z. et al. (2024). DNABERT-2: Efficient Foundation Model and Benchmark for Multi-Species Genomes. ICLR. arXiv:2306.15006', ...row,
    ...(sizes ? { declaredSizes: bySplit(sizes) } : {}), ...(paperSizes ? { paperSizes: bySplit(paperSizes) } : {}),
    ...(sha256 ? { sha256: Object.freeze(sha256) } : {}), upstream: Object.freeze(upstream), published: Object.freeze(publishedScores(row.name)),
  });
}

function epigeneticMarks(marks: Readonly<Record<string, Sizes>>): Task[] {
  return Object.entries(marks).map(([mark, sizes]) => task({
    name: `emp_${mark}`, benchmark: 'GUE', family: 'epigenetic marks prediction, yeast', folder: `EMP/${mark}`, description: mark, classes: 2, bp: 500, sizes,
    upstream: { ...script, maxTokens: 128, epochs: 3, warmupSteps: 50, evalEverySteps: 200 },
  }));
}

function promoters(prefix: string, family: string, bp: number, maxTokens: number): Task[] {
  const kinds: readonly (readonly [string, string, Sizes])[] = [
    ['all', 'all promoters', [47356, 5920, 5920]], ['notata', 'promoters without a TATA box', [42452, 5307, 5307]], ['tata', 'promoters with a TATA box', [4904, 613, 613]],
  ];
  return kinds.map(([kind, description, sizes]) => task({
    name: `${prefix}_${kind}`, benchmark: 'GUE', family, folder: `prom/${prefix}_${kind}`, description, classes: 2, bp, sizes,
    upstream: { ...script, maxTokens, warmupSteps: 50, ...(kind === 'tata' ? { epochs: 10, evalEverySteps: 200 } : { epochs: 4, evalEverySteps: 400 }) },
  }));
}

function transcriptionFactors(prefix: string, organism: string, upstream: UpstreamSettings, experiments: readonly (readonly [string, Sizes])[]): Task[] {
  return experiments.map(([experiment, sizes], index) => task({
    name: `${prefix}_${index}`, benchmark: 'GUE', family: `transcription factor binding, ${organism}`, folder: `${prefix}/${index}`, description: experiment,
    classes: 2, bp: 101, sizes, upstream,
  }));
}

/** The task of a name. @throws RangeError that lists the nearest names */
export function findTask(name: string): Task {
  const found = tasks.find((each) => each.name === name);
  if (found) return found;
  const near = nearestNames(name.replace(/\W/g, '_'), tasks.map((each) => each.name));
  throw new RangeError(`findTask: expected the name of a task, got ${JSON.stringify(name)}; did you mean ${near.join(', ')}?`);
}

/** What a task shares its origin with: all tasks of one data folder (`EMP`, `prom`, `tf` …), or, if nobody knows it here, nothing but itself. */
export const familyOf = (name: string): string => tasks.find((each) => each.name === name)?.folder.split('/')[0] ?? name;
