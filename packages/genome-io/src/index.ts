export { readBytes, type ByteSource, type FileHandleLike, type ReadOptions } from './byteSource';
export { readFasta, type FastaOptions, type FastaRecord } from './fasta';
export { FormatError } from './formatError';
export { reverseComplement } from './sequence';
