export { readBytes, type ByteSource, type FileHandleLike, type ReadOptions } from './byteSource';
export { readFasta, type FastaOptions, type FastaRecord } from './fasta';
export { FormatError } from './formatError';
export { reverseComplement } from './sequence';
export { simulateGueTask, type LabelledSequence, type SimulatedDataset, type SimulationOptions } from './simulate/simulateGueTask';
export { plantedMotifTask, simulatedTasks, type SimulatedTask, type SplitSizes } from './simulate/tasks';
