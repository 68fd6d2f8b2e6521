// Tasks and data
export { findTask, tasks } from './tasks';
export { nearestNames } from './nearestNames';
export { parseTask, type PublishedScore, type Split, type Task, type UpstreamSettings } from './task';
export { parseDataset, type Dataset, type DatasetOptions, type DatasetSplit, type DatasetTask } from './dataset';
export { loadDataset, type LoadOptions } from './loadDataset';
export { availableTasks } from './dataSource';
export { downloadTask, type DownloadedFile, type DownloadOptions } from './download';
// Models
export type { Example, FitOptions, FittedClassifier, Progress, SequenceClassifier } from './classifier';
export { baselines, composition, kmerLogisticRegression, kmerOneHotLogisticRegression, majority, oneHotLogisticRegression, type BaselineName, type KmerOptions } from './baselines/baselines';
export type { TreeOptions } from './baselines/boostedTrees';
export { commandClassifier, type CommandOptions } from './outside/commandClassifier';
export { predictionFile } from './outside/predictionFile';
// Runs
export { evaluate, type EvaluateOptions } from './evaluate';
export type { Access, Calibration, CurvePoint, HomologyScores, Interval, RunRecord, Score } from './runRecord';
export { homologyScores, withHomology, type HomologyAudit } from './homologyScores';
export { identityOf, runIdentity, type RunIdentity } from './runIdentity';
export { openRunStore, type RunStore } from './runStore';
// Metrics
export { accuracy, f1Macro, f1Micro, f1Weighted, mcc, precisionMacro, recallMacro, type MetricName } from './metrics/classification';
export { auprc, auroc } from './metrics/ranking';
export { brierScore, expectedCalibrationError, logLoss, reliability, type ProbabilityRows, type ReliabilityBin } from './metrics/calibration';
export { confusionMatrix, type ConfusionMatrix } from './metrics/confusion';
export { mostProbable } from './predictions';
// Statistics
export { bootstrapInterval, pairedBootstrap, seedMeanInterval, type PairedComparison, type Runs, type Scored, type SeedMean } from './statistics/bootstrap';
export type { BootstrapOptions } from './statistics/interval';
export type { IndexSource, Metric } from './statistics/resample';
export { compareModels, type CompareOptions, type ComparisonTest, type ModelComparison, type TaskComparison } from './compare';
export { mcnemar, type McNemar } from './statistics/mcnemar';
export { permutationTest, type PermutationTest } from './statistics/permutation';
export { equivalenceTest, minimumDetectableDifference, pairedTost, type Equivalence, type PairedTost } from './statistics/equivalence';
export { compareFamilies, type FamilyTest, type TaskDifference } from './statistics/families';
export { benjaminiHochberg, holm } from './statistics/multipleTests';
// Audits
export { auditLeakage, type LeakageAudit, type LeakageOptions } from './audit/leakage';
export { auditContainment, type Containment } from './audit/containment';
export { auditDrift, type Drift } from './audit/drift';
export { corpusOverlap, createSketch, parseSketch, type CorpusOverlap, type Sketch } from './audit/sketch';
export { splitByHomology, type HomologySplit, type SplitOptions } from './audit/splitByHomology';
export type { Homolog, HomologyThresholds } from './audit/homologSearch';
export type { PositionalTwins } from './audit/positionalTwins';
// Reports
export { renderReport } from './report/page';
export { renderTable } from './report/table';
export { renderCsv, renderLatex } from './report/scoreRows';
export type { Aggregate, PairedDifference, ReportInput, ReportTask } from './report/input';
