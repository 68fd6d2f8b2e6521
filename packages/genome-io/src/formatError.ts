/** A file does not hold what its format says. Callers branch on this class; everything else is a TypeError, a RangeError or the system's own error. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  /** Which format was expected, for example `fasta` or `gzip`. */
  readonly format: string;
  /** 1-based line of the decompressed text; undefined where lines have no meaning. */
  readonly line: number | undefined;
  /** 0-based byte of the file as it is stored; undefined for text, where `line` says more. */
  readonly offset: number | undefined;

  /** @param message - `<op>: expected <what>, got <value>; <remedy>` */
  constructor(message: string, { format, line, offset, cause }: { format: string; line?: number | undefined; offset?: number | undefined; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.format = format;
    this.line = line;
    this.offset = offset;
  }
}
