/** A file does not hold what its format says. Callers branch on this class; everything else is a TypeError, a RangeError or the system's own error. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  /** Which format was expected: `safetensors` or `config.json`. */
  readonly format: string;
  /** 1-based; undefined where lines have no meaning. */
  readonly line: number | undefined;

  /** @param message - `<op>: expected <what>, got <value>; <remedy>` */
  constructor(message: string, { format, line, cause }: { format: string; line?: number | undefined; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.format = format;
    this.line = line;
  }
}
