import type { PublishedScore } from './task';

const paper = 'Zhou et al. 2024, arXiv:2306.15006, table of the 28 GUE sets; one run each';
/** Columns of `gue` below, with the numbers of weights that the same paper prints. */
const models: readonly (readonly [model: string, parameters: number])[] = [
  ['DNABERT 3-mer', 86e6], ['DNABERT 4-mer', 86e6], ['DNABERT 5-mer', 87e6], ['DNABERT 6-mer', 89e6],
  ['NT-500M-human', 480e6], ['NT-500M-1000g', 480e6], ['NT-2500M-1000g', 2537e6], ['NT-2500M-multi', 2537e6],
  ['DNABERT-2', 117e6], ['DNABERT-2 further pre-trained', 117e6],
];
/** Percent: macro-F1 for virus_covid, else MCC. */
const gue: Readonly<Record<string, readonly number[]>> = {
  emp_H3: [74.15, 73.03, 73.4, 73.1, 69.67, 72.52, 74.61, 78.77, 78.27, 80.17],
  emp_H3K14ac: [42.07, 41.88, 40.68, 40.06, 33.55, 39.37, 44.08, 56.2, 52.57, 57.42],
  emp_H3K36me3: [48.49, 48.03, 48.29, 47.25, 44.14, 45.58, 50.86, 61.99, 56.88, 61.9],
  emp_H3K4me1: [42.95, 41.06, 40.65, 41.44, 37.15, 40.45, 43.1, 55.3, 50.52, 53],
  emp_H3K4me2: [31.34, 30.66, 30.67, 32.27, 30.87, 31.05, 30.28, 36.49, 31.13, 39.89],
  emp_H3K4me3: [28.92, 25.31, 27.1, 27.81, 24.06, 26.16, 30.87, 40.34, 36.27, 41.2],
  emp_H3K79me3: [60.12, 59.77, 59.61, 61.17, 58.35, 59.33, 61.2, 64.7, 67.39, 65.46],
  emp_H3K9ac: [50.48, 51.44, 51.11, 51.22, 45.81, 49.29, 52.36, 56.01, 55.63, 57.07],
  emp_H4: [78.27, 78.28, 77.27, 79.26, 76.17, 76.29, 79.76, 81.67, 80.71, 81.86],
  emp_H4ac: [38.6, 36.4, 37.48, 37.43, 33.74, 36.79, 41.46, 49.13, 50.43, 50.35],
  prom_300_all: [90.44, 89.54, 90.16, 90.48, 87.71, 89.76, 90.95, 91.01, 86.77, 88.31],
  prom_300_notata: [93.61, 92.65, 92.45, 93.05, 90.75, 91.75, 93.07, 94, 94.27, 94.34],
  prom_300_tata: [69.83, 66.78, 69.51, 61.56, 78.07, 78.23, 75.8, 79.43, 71.59, 68.79],
  prom_core_all: [70.92, 69, 69.48, 68.9, 63.45, 66.7, 67.39, 70.33, 69.37, 67.5],
  prom_core_notata: [69.82, 70.04, 69.81, 70.47, 64.82, 67.17, 67.46, 71.58, 68.04, 69.53],
  prom_core_tata: [78.15, 74.25, 76.79, 76.06, 71.34, 73.52, 69.66, 72.97, 74.17, 76.18],
  tf_0: [67.95, 67.9, 66.97, 66.84, 61.59, 63.64, 66.31, 66.64, 71.99, 69.12],
  tf_1: [70.9, 73.05, 69.98, 70.14, 66.75, 70.17, 68.3, 70.28, 76.06, 71.87],
  tf_2: [60.51, 59.52, 59.03, 61.03, 53.58, 52.73, 58.7, 58.72, 66.52, 62.96],
  tf_3: [53.03, 50.37, 52.95, 51.89, 42.95, 45.24, 49.08, 51.65, 58.54, 55.35],
  tf_4: [69.76, 71.23, 69.26, 70.97, 60.81, 62.82, 67.59, 69.34, 77.43, 74.94],
  mouse_0: [42.31, 49.42, 42.45, 44.42, 31.04, 39.26, 48.31, 63.31, 56.76, 64.23],
  mouse_1: [79.1, 79.95, 79.32, 78.94, 75.04, 75.49, 80.02, 83.76, 84.77, 86.28],
  mouse_2: [69.9, 72.62, 62.22, 71.44, 61.67, 64.7, 70.14, 71.52, 79.32, 81.28],
  mouse_3: [55.4, 51.79, 49.92, 44.89, 29.17, 33.07, 42.25, 69.44, 66.47, 73.49],
  mouse_4: [41.97, 44.13, 40.34, 42.48, 29.27, 34.01, 43.4, 47.07, 52.66, 50.8],
  splice_reconstructed: [84.14, 84.05, 84.02, 84.07, 79.71, 80.97, 85.78, 89.35, 84.99, 85.93],
  virus_covid: [62.23, 59.87, 50.46, 55.5, 50.82, 52.06, 66.73, 73.04, 71.02, 68.49],
};

const dnallm = 'dnallm-mark (zhangtaolab, commit 8d99daf): 3 epochs at learning rate 2e-5, one run each';
/** Columns of `guePlus` below. */
const dnallmModels = [
  'DNABERT-2', 'HyenaDNA-1M', 'Caduceus-Ph-131k', 'Caduceus-PS-131k', 'GENA-LM-large', 'GENA-LM-bigbird', 'GenomeOcean-500M', 'NT-v2-500M-multi',
  'GROVER', 'Evo2-1B', 'ProkBERT-mini', 'MutBERT-Multi',
];
/** MCC in percent. A zero is a run that predicted one class. */
const guePlus: Readonly<Record<string, readonly number[]>> = {
  epi_GM12878: [55.02, 42.72, 32.34, 27.41, 59.9, 65.04, 57.39, 0, 42, 6.08, 14.19, 8.04],
  fungi_species_20: [91.38, 88.47, 41.31, 59.4, 59.37, 81.07, 91.59, 94.63, 58.13, 7.11, 48.19, 22.42],
  virus_species_40: [43.74, 35.59, 16.08, 10.7, 29.05, 38.97, 48.68, 47.21, 30.27, 7.66, 17.63, 16.12],
};

/** The scores that others printed for a task, in their order; empty where there are none. */
export function publishedScores(task: string): readonly PublishedScore[] {
  const fromPaper = (gue[task] ?? []).map((score, column) => ({ model: models[column][0], score, parameters: models[column][1], source: paper }));
  const fromDnallm = (guePlus[task] ?? []).map((score, column) => ({ model: dnallmModels[column], score, source: dnallm }));
  return [...fromPaper, ...fromDnallm];
}
